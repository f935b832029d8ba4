# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.xcom import BaseXCom as BaseXCom
from tradewind.sdk.xcom import LazyXComSequence as _LazyXComSelectSequence
LazyXComSelectSequence = _LazyXComSelectSequence
from tradewind.sdk.xcom import LazyXComSequence as LazyXComSequence
from tradewind.sdk.xcom_arg import XCOM_RETURN_KEY as XCOM_RETURN_KEY
from tradewind.sdk.xcom import BaseXCom as _XCom
XCom = _XCom
