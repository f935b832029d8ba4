# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.not_set import ArgNotSet as ArgNotSet
from tradewind.sdk.not_set import NOTSET as NOTSET
from tradewind.sdk.not_set import SET_DURING_EXECUTION as SET_DURING_EXECUTION
from tradewind.sdk.not_set import is_arg_set as is_arg_set
