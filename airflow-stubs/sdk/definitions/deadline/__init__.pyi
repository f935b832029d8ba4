# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.deadline import BaseDeadlineReference as BaseDeadlineReference
from tradewind.sdk.deadline import DeadlineAlert as DeadlineAlert
from tradewind.sdk.deadline import DeadlineReference as DeadlineReference
from tradewind.sdk.deadline import VariableInterval as VariableInterval
from tradewind.sdk.deadline import deadline_reference as deadline_reference
