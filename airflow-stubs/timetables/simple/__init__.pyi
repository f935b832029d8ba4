# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.timetables.asset_driven import AssetTriggeredTimetable as AssetTriggeredTimetable
from tradewind.sdk.timetables.simple import ContinuousTimetable as ContinuousTimetable
from tradewind.sdk.timetables.asset_driven import AssetTriggeredTimetable as _DatasetTriggeredTimetable
DatasetTriggeredTimetable = _DatasetTriggeredTimetable
from tradewind.sdk.timetables.simple import NullTimetable as NullTimetable
from tradewind.sdk.timetables.simple import OnceTimetable as OnceTimetable
from tradewind.sdk.partitions import PartitionedAssetTimetable as PartitionedAssetTimetable
from tradewind.sdk.partitions import PartitionedAtRuntime as PartitionedAtRuntime
