# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from . import listeners as listeners
from . import module_loading as module_loading
from . import secrets_masker as secrets_masker
