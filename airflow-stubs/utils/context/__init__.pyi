# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.context import ConnectionAccessor as ConnectionAccessor
from tradewind.sdk.context import Context as Context
from tradewind.sdk.context import VariableAccessor as VariableAccessor
from tradewind.sdk.callable_runners import context_get_outlet_events as context_get_outlet_events
from tradewind.sdk.context import context_merge as context_merge
from tradewind.sdk.context import get_current_context as get_current_context
