# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.dag_run import DagRun as DagRun
from tradewind.sdk.states import RunType as _DagRunType
DagRunType = _DagRunType
