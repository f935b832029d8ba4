# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.dag import DAG as DAG
from tradewind.sdk.dag_decorator import dag as dag
