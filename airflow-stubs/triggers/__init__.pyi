# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from . import base as base
from . import external_task as external_task
from . import file as file
from . import temporal as temporal
