# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.operators.triggers.temporal import DateTimeTrigger as DateTimeTrigger
from tradewind.operators.triggers.temporal import TimeDeltaTrigger as TimeDeltaTrigger
