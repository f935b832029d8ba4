# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.operators.skip_mixin import SkipMixin as SkipMixin
