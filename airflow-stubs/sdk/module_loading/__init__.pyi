# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.import_string import import_string as import_string
from tradewind.sdk.module_loading import is_valid_dotpath as is_valid_dotpath
from tradewind.sdk.module_loading import iter_namespace as iter_namespace
from tradewind.sdk.module_loading import qualname as qualname
