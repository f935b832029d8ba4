# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from . import trigger_dag as trigger_dag
