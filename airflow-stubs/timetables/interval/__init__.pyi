# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.timetables.interval import CronDataIntervalTimetable as CronDataIntervalTimetable
from tradewind.sdk.timetables.interval import DeltaDataIntervalTimetable as DeltaDataIntervalTimetable
