# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.plugin import AirflowPlugin as AirflowPlugin
from tradewind.sdk.providers_manager import ProvidersManagerTaskRuntime as ProvidersManagerTaskRuntime
