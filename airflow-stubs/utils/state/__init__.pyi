# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.states import DagRunState as DagRunState
from tradewind.sdk.state_names import State as State
from tradewind.sdk.states import TaskInstanceState as TaskInstanceState
