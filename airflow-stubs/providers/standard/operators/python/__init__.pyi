# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.operators.external_python import BranchExternalPythonOperator as BranchExternalPythonOperator
from tradewind.operators.branch import BranchPythonOperator as BranchPythonOperator
from tradewind.operators.virtualenv import BranchPythonVirtualenvOperator as BranchPythonVirtualenvOperator
from tradewind.operators.external_python import ExternalPythonOperator as ExternalPythonOperator
from tradewind.operators.python import PythonOperator as PythonOperator
from tradewind.operators.virtualenv import PythonVirtualenvOperator as PythonVirtualenvOperator
from tradewind.operators.short_circuit import ShortCircuitOperator as ShortCircuitOperator
from tradewind.sdk.context import get_current_context as get_current_context
from tradewind.operators.virtualenv import is_venv_installed as is_venv_installed
