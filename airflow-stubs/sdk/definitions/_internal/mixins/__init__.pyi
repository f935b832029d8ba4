# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.dag_node import DAGNode as DAGNode
from tradewind.sdk.dag_node import DependencyMixin as DependencyMixin
