# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.provider_functions import get_random_string as get_random_string
from tradewind.sdk.provider_functions import to_boolean as to_boolean
