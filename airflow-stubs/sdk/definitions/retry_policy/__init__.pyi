# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.retry_policy import ExceptionRetryPolicy as ExceptionRetryPolicy
from tradewind.sdk.retry_policy import RetryAction as RetryAction
from tradewind.sdk.retry_policy import RetryDecision as RetryDecision
from tradewind.sdk.retry_policy import RetryPolicy as RetryPolicy
from tradewind.sdk.retry_policy import RetryRule as RetryRule
