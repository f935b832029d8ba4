# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.xcom_arg import PlainXComArg as PlainXComArg
from tradewind.sdk.xcom_arg import XComArg as XComArg
