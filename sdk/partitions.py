"""Airflow 3.2's partitioned assets: the names are there, so that files load; using one is refused.

Airflow calls them experimental. A mapper or timetable that did nothing would make runs that nobody
asked for, so each says what it is when it is made.
"""

from __future__ import annotations

from typing import Any

from .exceptions import InvalidUseError


class _Refused:
    """Refuses to be made."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise InvalidUseError(
            f"{type(self).__name__} belongs to partitioned assets, which Tradewind does not have: "
            "schedule the DAG by the assets themselves, and give what a partition would say as "
            "extra of the event"
        )


class PartitionMapper(_Refused): ...


class AllowedKeyMapper(PartitionMapper): ...


class ChainMapper(PartitionMapper): ...


class FanOutMapper(PartitionMapper): ...


class FixedKeyMapper(PartitionMapper): ...


class IdentityMapper(PartitionMapper): ...


class ProductMapper(PartitionMapper): ...


class RollupMapper(PartitionMapper): ...


class StartOfHourMapper(PartitionMapper): ...


class StartOfDayMapper(PartitionMapper): ...


class StartOfWeekMapper(PartitionMapper): ...


class StartOfMonthMapper(PartitionMapper): ...


class StartOfQuarterMapper(PartitionMapper): ...


class StartOfYearMapper(PartitionMapper): ...


class Window(_Refused): ...


class HourWindow(Window): ...


class DayWindow(Window): ...


class WeekWindow(Window): ...


class MonthWindow(Window): ...


class QuarterWindow(Window): ...


class YearWindow(Window): ...


class SegmentWindow(Window): ...


class WaitForAll(_Refused): ...


class MinimumCount(_Refused): ...


class CronPartitionTimetable(_Refused): ...


class PartitionedAssetTimetable(_Refused): ...


class PartitionedAtRuntime(_Refused): ...
