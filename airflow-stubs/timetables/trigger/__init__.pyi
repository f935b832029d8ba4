# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.partitions import CronPartitionTimetable as CronPartitionTimetable
from tradewind.sdk.timetables.trigger import CronTriggerTimetable as CronTriggerTimetable
from tradewind.sdk.timetables.trigger import DeltaTriggerTimetable as DeltaTriggerTimetable
from tradewind.sdk.timetables.trigger import MultipleCronTriggerTimetable as MultipleCronTriggerTimetable
