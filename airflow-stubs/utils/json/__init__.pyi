# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.json_coding import AirflowJsonEncoder as AirflowJsonEncoder
from tradewind.sdk.json_coding import WebEncoder as WebEncoder
from tradewind.sdk.json_coding import XComDecoder as XComDecoder
from tradewind.sdk.json_coding import XComEncoder as XComEncoder
