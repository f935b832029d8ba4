# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.operators.triggers.external_task import DagStateTrigger as DagStateTrigger
from tradewind.operators.triggers.external_task import WorkflowTrigger as WorkflowTrigger
