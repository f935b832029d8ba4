# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.mapped_operator import MappedOperator as MappedOperator
