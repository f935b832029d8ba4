"""``DayOfWeekSensor``: waits for a day of the week (semantics section 6.2)."""

from __future__ import annotations

from typing import Any

from ...sdk import timezone
from ...sdk.base_sensor import BaseSensorOperator
from ...sdk.weekday import WeekDay


class DayOfWeekSensor(BaseSensorOperator):
    """Waits until it is *week_day* in UTC: an English name, a ``WeekDay``, or several.

    Args:
        use_task_logical_date: the day of the run's logical date counts, not today.

    Raises:
        AttributeError: no day has that name.
        TypeError: *week_day* is none of these.
    """

    def __init__(
        self,
        *,
        week_day: Any,
        use_task_logical_date: bool = False,
        use_task_execution_day: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.week_day = week_day
        self.use_task_logical_date = use_task_logical_date or use_task_execution_day
        self._week_day_num = WeekDay.validate_week_day(week_day)

    def poke(self, context: Any) -> bool:
        return day_to_look_at(context, self.use_task_logical_date) in self._week_day_num


def day_to_look_at(context: Any, use_task_logical_date: bool) -> int:
    """Return the ISO weekday of the run's logical date, or of today in UTC."""
    if not use_task_logical_date:
        return timezone.utcnow().isoweekday()
    instant = context.get("logical_date") or context["dag_run"].run_after
    return int(instant.isoweekday())
