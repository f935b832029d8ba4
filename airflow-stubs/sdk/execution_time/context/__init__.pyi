# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.state_store import NEVER_EXPIRE as NEVER_EXPIRE
from tradewind.sdk.callable_runners import context_get_outlet_events as context_get_outlet_events
from tradewind.sdk.context_variables import context_to_airflow_vars as context_to_airflow_vars
