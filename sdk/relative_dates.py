"""Dates counted from today, and what cron presets stand for: Airflow 2's ``airflow.utils.dates``.

DAG files of that time write ``start_date=days_ago(1)``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import timezone
from .timetables.cron_ticks import PRESETS

if TYPE_CHECKING:
    import pendulum

cron_presets: dict[str, str] = {
    preset: PRESETS[preset]
    for preset in ("@hourly", "@daily", "@weekly", "@monthly", "@quarterly", "@yearly")
}


def days_ago(
    n: int, hour: int = 0, minute: int = 0, second: int = 0, microsecond: int = 0
) -> pendulum.DateTime:
    """Return the given time of the day *n* days before today, in UTC; without a time midnight."""
    import pendulum

    today = timezone.coerce_datetime(timezone.utcnow()).in_timezone(pendulum.UTC)
    at = today.replace(hour=hour, minute=minute, second=second, microsecond=microsecond)
    return at.subtract(days=n)
