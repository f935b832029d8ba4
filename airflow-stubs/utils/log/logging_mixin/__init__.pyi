# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.logging_mixin import LoggingMixin as LoggingMixin
from tradewind.sdk.logging_mixin import remove_escape_codes as remove_escape_codes
