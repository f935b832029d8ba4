"""From what a DAG file writes as ``schedule`` to the timetable that plans its runs.

Source: ``spec/semantics.md`` section 4.1, rows 1 and 3 of section 11; architecture, section 4.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta, tzinfo
from typing import Any, NamedTuple

from dateutil.relativedelta import relativedelta

from .base import Timetable


class TimetableSettings(NamedTuple):
    """Whether cron and timedelta schedules make data intervals. None: as the dialect has it."""

    create_cron_data_intervals: bool | None = None
    create_delta_data_intervals: bool | None = None

    @classmethod
    def from_configuration(cls) -> TimetableSettings:
        """Read both keys of section ``[scheduler]``; one that nobody set is None."""
        return cls(
            create_cron_data_intervals=_boolean_if_set("create_cron_data_intervals"),
            create_delta_data_intervals=_boolean_if_set("create_delta_data_intervals"),
        )

    def cron_makes_intervals(self, dialect: str) -> bool:
        """Tell whether a cron schedule becomes data intervals: by the key, else by dialect."""
        if self.create_cron_data_intervals is not None:
            return self.create_cron_data_intervals
        return dialect == "2"

    def delta_makes_intervals(self, dialect: str) -> bool:
        """Tell the same of a timedelta: by its own key, else as cron."""
        if self.create_delta_data_intervals is not None:
            return self.create_delta_data_intervals
        return self.cron_makes_intervals(dialect)


def create_timetable(
    schedule: Any,
    *,
    timezone: tzinfo,
    dialect: str,
    settings: TimetableSettings | None = None,
) -> Timetable:
    """Return the timetable that a schedule stands for. A cron expression is not checked yet.

    Args:
        schedule: None, ``@once``, ``@continuous``, a cron expression or preset, a timedelta or
            relativedelta, assets (one, an expression, a collection: all), or a timetable.
        timezone: the zone in which cron expressions are read, the DAG's.
        dialect: "2" or "3".
        settings: None: what the configuration says.

    Raises:
        ValueError: the schedule is none of these.
    """
    timetable = _create(schedule, timezone, dialect, settings)
    timetable.dialect = dialect
    return timetable


def _create(
    schedule: Any, timezone: tzinfo, dialect: str, settings: TimetableSettings | None
) -> Timetable:
    if isinstance(schedule, Timetable):
        return schedule
    # Each kind is loaded when it is asked for: every task process pays for what a DAG loads.
    if schedule is None or (isinstance(schedule, str) and schedule in ("@once", "@continuous")):
        from . import simple

        if schedule is None:
            return simple.NullTimetable()
        return simple.OnceTimetable() if schedule == "@once" else simple.ContinuousTimetable()
    if isinstance(schedule, str | timedelta | relativedelta):
        return _regular(schedule, timezone, dialect, settings)
    if _names_assets(schedule):
        from .asset_driven import AssetTriggeredTimetable

        return AssetTriggeredTimetable(schedule)
    raise ValueError(f"{schedule!r} is not a valid schedule")


def _regular(
    schedule: str | timedelta | relativedelta,
    timezone: tzinfo,
    dialect: str,
    settings: TimetableSettings | None,
) -> Timetable:
    settings = settings or TimetableSettings.from_configuration()
    if isinstance(schedule, str):
        if settings.cron_makes_intervals(dialect):
            from .interval import CronDataIntervalTimetable

            return CronDataIntervalTimetable(schedule, timezone)
        from .trigger import CronTriggerTimetable

        return CronTriggerTimetable(schedule, timezone=timezone)
    if settings.delta_makes_intervals(dialect):
        from .interval import DeltaDataIntervalTimetable

        return DeltaDataIntervalTimetable(schedule)
    from .trigger import DeltaTriggerTimetable

    return DeltaTriggerTimetable(schedule)


def _names_assets(schedule: Any) -> bool:
    from ..asset import BaseAsset

    if isinstance(schedule, BaseAsset):
        return True
    if not isinstance(schedule, Collection) or not schedule:
        return False
    if all(isinstance(member, BaseAsset) for member in schedule):
        return True
    raise ValueError("All elements in 'schedule' should be assets or asset aliases")


def _boolean_if_set(key: str) -> bool | None:
    from ..configuration import conf

    value = str(conf.get("scheduler", key, fallback="auto")).strip().lower()
    return None if value in ("", "auto") else conf.getboolean("scheduler", key)
