# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from airflow.providers.http.operators.http import HttpOperator as _SimpleHttpOperator
SimpleHttpOperator = _SimpleHttpOperator
