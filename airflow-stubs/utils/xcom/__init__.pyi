# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.xcom_arg import XCOM_RETURN_KEY as XCOM_RETURN_KEY
