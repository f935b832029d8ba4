# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.dag import DAG as DAG
from tradewind.sdk.metadata_session import out_of_reach as _DagModel
DagModel = _DagModel
from tradewind.sdk.dag_decorator import dag as dag
