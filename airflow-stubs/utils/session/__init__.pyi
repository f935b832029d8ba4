# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.metadata_session import NEW_SESSION as NEW_SESSION
from tradewind.sdk.metadata_session import create_session as create_session
from tradewind.sdk.metadata_session import provide_session as provide_session
