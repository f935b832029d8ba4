# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from . import branch as branch
from . import decorator as decorator
from . import hook as hook
from . import notifier as notifier
from . import operator as operator
from . import operatorlink as operatorlink
from . import secrets_backend as secrets_backend
from . import sensor as sensor
from . import skipmixin as skipmixin
from . import timetable as timetable
from . import xcom as xcom
