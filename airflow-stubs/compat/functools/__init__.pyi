# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from functools import cache as cache
from functools import cached_property as cached_property
