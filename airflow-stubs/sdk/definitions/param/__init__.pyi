# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.param import DagParam as DagParam
from tradewind.sdk.param import Param as Param
from tradewind.sdk.param import ParamsDict as ParamsDict
