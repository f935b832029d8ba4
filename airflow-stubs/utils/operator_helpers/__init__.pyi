# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.callable_runners import ExecutionCallableRunner as ExecutionCallableRunner
from tradewind.sdk.callable_runners import KeywordParameters as KeywordParameters
from tradewind.sdk.context_variables import context_to_airflow_vars as context_to_airflow_vars
from tradewind.sdk.call_arguments import determine_kwargs as determine_kwargs
from tradewind.sdk.callable_runners import is_async_callable as is_async_callable
from tradewind.sdk.call_arguments import make_kwargs_callable as make_kwargs_callable
