# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.deadline import AsyncCallback as AsyncCallback
from tradewind.sdk.deadline import Callback as Callback
from tradewind.sdk.deadline import SyncCallback as SyncCallback
