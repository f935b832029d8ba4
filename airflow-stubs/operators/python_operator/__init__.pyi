# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.operators.branch import BranchPythonOperator as BranchPythonOperator
from tradewind.operators.python import PythonOperator as PythonOperator
from tradewind.operators.virtualenv import PythonVirtualenvOperator as PythonVirtualenvOperator
from tradewind.operators.short_circuit import ShortCircuitOperator as ShortCircuitOperator
