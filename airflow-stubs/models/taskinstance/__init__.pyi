# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.task_instance import RuntimeTaskInstance as _TaskInstance
TaskInstance = _TaskInstance
from tradewind.sdk.task_instance import TaskInstanceKey as TaskInstanceKey
from tradewind.sdk.metadata_session import refuse_session as _clear_task_instances
clear_task_instances = _clear_task_instances
