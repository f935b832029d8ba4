# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.timetables.asset_driven import AssetOrTimeSchedule as AssetOrTimeSchedule
from tradewind.sdk.timetables.asset_driven import AssetTriggeredTimetable as AssetTriggeredTimetable
