# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.timetables.base import DagRunInfo as DagRunInfo
from tradewind.sdk.timetables.base import DataInterval as DataInterval
from tradewind.sdk.timetables.base import TimeRestriction as TimeRestriction
from tradewind.sdk.timetables.base import Timetable as Timetable
