# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.trigger_dag import trigger_dag as trigger_dag
