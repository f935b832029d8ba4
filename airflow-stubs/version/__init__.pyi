# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind import AIRFLOW_VERSION as _version
version = _version
