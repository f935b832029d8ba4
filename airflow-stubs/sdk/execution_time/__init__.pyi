# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from . import callback_runner as callback_runner
from . import context as context
from . import hitl as hitl
from . import lazy_sequence as lazy_sequence
from . import macros as macros
from . import secrets_masker as secrets_masker
from . import task_runner as task_runner
from . import timeout as timeout
from . import xcom as xcom
