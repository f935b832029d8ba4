# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.module_loading import is_valid_dotpath as is_valid_dotpath
