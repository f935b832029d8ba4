# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.decorated_operator import DecoratedOperator as DecoratedOperator
from tradewind.sdk.callable_runners import KeywordParameters as KeywordParameters
from tradewind.sdk.decorated_operator import TaskCallable as _TaskDecorator
TaskDecorator = _TaskDecorator
from tradewind.sdk.call_arguments import determine_kwargs as determine_kwargs
from tradewind.sdk.decorated_operator import get_unique_task_id as get_unique_task_id
from tradewind.sdk.callable_runners import is_async_callable as is_async_callable
from tradewind.sdk.decorated_operator import task_decorator_factory as task_decorator_factory
