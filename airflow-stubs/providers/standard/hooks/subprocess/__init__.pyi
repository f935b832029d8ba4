# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.subprocess_hook import SubprocessHook as SubprocessHook
from tradewind.sdk.subprocess_hook import SubprocessResult as SubprocessResult
