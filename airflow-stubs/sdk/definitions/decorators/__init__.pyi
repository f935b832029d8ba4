# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.task_decorators import result as result
from tradewind.sdk.task_decorators import setup_task as _setup
setup = _setup
from tradewind.sdk.task_decorators import task as task
from tradewind.sdk.task_group_decorator import task_group as task_group
from tradewind.sdk.task_decorators import teardown_task as _teardown
teardown = _teardown
