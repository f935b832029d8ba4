# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.operators.triggers.hitl import HITLTrigger as HITLTrigger
