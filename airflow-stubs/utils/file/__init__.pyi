# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.provider_functions import correct_maybe_zipped as correct_maybe_zipped
from tradewind.sdk.module_loading import dag_module_name as _get_unique_dag_module_name
get_unique_dag_module_name = _get_unique_dag_module_name
