# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.not_set import ArgNotSet as ArgNotSet
from tradewind.sdk.states import RunType as _DagRunType
DagRunType = _DagRunType
from tradewind.sdk.not_set import NOTSET as NOTSET
