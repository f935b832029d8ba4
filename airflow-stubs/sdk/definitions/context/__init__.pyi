# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.parsing_context import AirflowParsingContext as AirflowParsingContext
from tradewind.sdk.context import Context as Context
from tradewind.sdk.context import context_merge as context_merge
from tradewind.sdk.context import get_current_context as get_current_context
from tradewind.sdk.parsing_context import get_parsing_context as get_parsing_context
