"""``TimeDeltaSensor`` and ``WaitSensor``: wait for a length of time (semantics section 6.2)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from ...sdk import timezone
from ...sdk.base_sensor import BaseSensorOperator
from ..default_deferrable import is_deferrable_by_default


class TimeDeltaSensor(BaseSensorOperator):
    """Waits until *delta* after the end of the run's data interval.

    A run without one counts from its ``run_after``.

    Args:
        delta: a timedelta.
        deferrable: wait in the triggerer, without a slot.
        end_from_trigger: then end without a process, too.
    """

    template_fields: Sequence[str] = ("delta",)

    def __init__(
        self,
        *,
        delta: Any,
        deferrable: bool | None = None,
        end_from_trigger: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.delta = delta
        self.deferrable = is_deferrable_by_default() if deferrable is None else deferrable
        self.end_from_trigger = end_from_trigger

    def _target(self, context: Any) -> datetime:
        base = context.get("data_interval_end") or context["dag_run"].run_after
        return timezone.plain_utc(base) + as_delta(self.delta)

    def poke(self, context: Any) -> bool:
        target = self._target(context)
        self.log.info("Is %s over?", target)
        return timezone.utcnow() > target

    def execute(self, context: Any) -> None:
        if not self.deferrable:
            super().execute(context)
            return
        target = self._target(context)
        if timezone.utcnow() > target:
            return
        from ..triggers.temporal import DateTimeTrigger

        self.defer(
            trigger=DateTimeTrigger(target, end_from_trigger=self.end_from_trigger),
            method_name="execute_complete",
            timeout=timedelta(seconds=self.timeout),
        )

    def execute_complete(self, context: Any, event: Any = None) -> None:
        """Do nothing: the time is over."""


class TimeDeltaSensorAsync(TimeDeltaSensor):
    """The same, waiting in the triggerer."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "deferrable": True})


class WaitSensor(BaseSensorOperator):
    """Waits for *time_to_wait*, minutes or a timedelta, from its start on.

    Args:
        deferrable: wait in the triggerer, without a slot.
    """

    template_fields: Sequence[str] = ("time_to_wait",)

    def __init__(self, *, time_to_wait: Any, deferrable: bool | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.time_to_wait = time_to_wait
        self.deferrable = is_deferrable_by_default() if deferrable is None else deferrable

    def execute(self, context: Any) -> None:
        wait = as_delta(self.time_to_wait)
        if not self.deferrable:
            self.log.info("Waiting for %s", wait)
            self._sleep(wait.total_seconds())
            return
        from ..triggers.temporal import TimeDeltaTrigger

        self.defer(
            trigger=TimeDeltaTrigger(wait, end_from_trigger=True),
            method_name="execute_complete",
            timeout=timedelta(seconds=self.timeout),
        )

    def execute_complete(self, context: Any, event: Any = None) -> None:
        """Do nothing: the time is over."""


def as_delta(value: Any) -> timedelta:
    """Return a timedelta; a number (or its text, from a template) is minutes."""
    return value if isinstance(value, timedelta) else timedelta(minutes=float(value))
