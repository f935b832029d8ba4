# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from . import hook as hook
