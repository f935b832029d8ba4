# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.operators.hitl import ApprovalOperator as ApprovalOperator
from tradewind.operators.hitl import HITLBranchOperator as HITLBranchOperator
from tradewind.operators.hitl import HITLEntryOperator as HITLEntryOperator
from tradewind.operators.hitl import HITLOperator as HITLOperator
