# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from . import mixins as mixins
from . import types as types
