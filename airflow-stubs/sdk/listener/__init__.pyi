# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.listeners import ListenerManager as ListenerManager
from tradewind.sdk.listeners import get_listener_manager as get_listener_manager
