# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.callable_runners import AsyncExecutionCallableRunner as AsyncExecutionCallableRunner
from tradewind.sdk.callable_runners import ExecutionCallableRunner as ExecutionCallableRunner
from tradewind.sdk.callable_runners import AsyncExecutionCallableRunner as _create_async_executable_runner
create_async_executable_runner = _create_async_executable_runner
from tradewind.sdk.callable_runners import ExecutionCallableRunner as _create_executable_runner
create_executable_runner = _create_executable_runner
