"""``BranchDayOfWeekOperator``: one way on some days of the week, another on the others."""

from __future__ import annotations

from typing import Any

from ..sdk.weekday import WeekDay
from .branch import BaseBranchOperator
from .sensors.day_of_week import day_to_look_at


class BranchDayOfWeekOperator(BaseBranchOperator):
    """Follows one of two ways, depending on the day of the week in UTC.

    Args:
        week_day: an English name, a ``WeekDay``, or several.
        use_task_logical_date: the day of the run's logical date counts, not today.

    Raises:
        AttributeError: no day has that name.
        TypeError: *week_day* is none of these.
    """

    def __init__(
        self,
        *,
        follow_task_ids_if_true: Any,
        follow_task_ids_if_false: Any,
        week_day: Any,
        use_task_logical_date: bool = False,
        use_task_execution_day: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.follow_task_ids_if_true = follow_task_ids_if_true
        self.follow_task_ids_if_false = follow_task_ids_if_false
        self.week_day = week_day
        self.use_task_logical_date = use_task_logical_date or use_task_execution_day
        self._week_day_num = WeekDay.validate_week_day(week_day)

    def choose_branch(self, context: Any) -> Any:
        """Return the ids for this day."""
        day = day_to_look_at(context, self.use_task_logical_date)
        is_in = day in self._week_day_num
        return self.follow_task_ids_if_true if is_in else self.follow_task_ids_if_false
