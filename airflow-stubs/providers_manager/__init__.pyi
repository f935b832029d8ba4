# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.providers_manager import HookInfo as HookInfo
from tradewind.sdk.providers_manager import ProviderInfo as ProviderInfo
from tradewind.sdk.providers_manager import ProvidersManager as ProvidersManager
