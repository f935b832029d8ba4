# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from . import assets as assets
from . import events as events
from . import interval as interval
from . import simple as simple
from . import trigger as trigger
