"""``BranchDateTimeOperator``: one way inside a span of time, another outside of it."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from ..sdk import timezone
from ..sdk.exceptions import InvalidValueError
from .branch import BaseBranchOperator


class BranchDateTimeOperator(BaseBranchOperator):
    """Follows one of two ways, depending on the present instant.

    Args:
        target_lower, target_upper: the span, ends included: datetimes, or times of day (a span
            over midnight ends tomorrow). Naive ones are in the DAG's time zone. One may be None.
        use_task_logical_date: the run's logical date counts, not the present.

    Raises:
        InvalidValueError: both ends are None.
    """

    def __init__(
        self,
        *,
        follow_task_ids_if_true: Any,
        follow_task_ids_if_false: Any,
        target_lower: datetime | time | None,
        target_upper: datetime | time | None,
        use_task_logical_date: bool = False,
        use_task_execution_date: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if target_lower is None and target_upper is None:
            raise InvalidValueError(f"{self._name} needs target_lower, target_upper or both")
        self.target_lower = target_lower
        self.target_upper = target_upper
        self.follow_task_ids_if_true = follow_task_ids_if_true
        self.follow_task_ids_if_false = follow_task_ids_if_false
        self.use_task_logical_date = use_task_logical_date or use_task_execution_date

    def choose_branch(self, context: Any) -> Any:
        """Return the ids for this instant."""
        zone: Any = self.dag.timezone if self.dag is not None else timezone.utc
        now: datetime = timezone.utcnow()
        if self.use_task_logical_date:
            now = context.get("logical_date") or context["dag_run"].run_after
        lower = _instant(self.target_lower, now, zone)
        upper = _instant(self.target_upper, now, zone)
        both_times = isinstance(self.target_lower, time) and isinstance(self.target_upper, time)
        if lower is not None and upper is not None and both_times and upper < lower:
            upper += timedelta(days=1)
        is_outside = (lower is not None and now < lower) or (upper is not None and now > upper)
        return self.follow_task_ids_if_false if is_outside else self.follow_task_ids_if_true


def _instant(target: datetime | time | None, now: datetime, zone: Any) -> datetime | None:
    if target is None:
        return None
    if isinstance(target, datetime):
        return timezone.make_aware(target, zone) if target.tzinfo is None else target
    own_zone = target.tzinfo or zone
    local = datetime.combine(now.astimezone(own_zone).date(), target.replace(tzinfo=None))
    return timezone.make_aware(local, own_zone)
