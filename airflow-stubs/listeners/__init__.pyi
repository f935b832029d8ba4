# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.listeners import hookimpl as hookimpl
from . import listener as listener
