# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.operators.branch_day_of_week import BranchDayOfWeekOperator as BranchDayOfWeekOperator
