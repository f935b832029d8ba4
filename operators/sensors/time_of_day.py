"""``TimeSensor``: waits until a time of day (semantics section 6.2)."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from ...sdk import timezone
from ...sdk.base_sensor import BaseSensorOperator
from ..default_deferrable import is_deferrable_by_default


class TimeSensor(BaseSensorOperator):
    """Waits until *target_time* of the day on which it starts, in the DAG's time zone.

    Args:
        deferrable: wait in the triggerer, without a slot.
        end_from_trigger: then end without a process, too.
    """

    def __init__(
        self,
        *,
        target_time: time,
        deferrable: bool | None = None,
        start_from_trigger: bool = False,
        end_from_trigger: bool = False,
        trigger_kwargs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.target_time = target_time
        self.deferrable = is_deferrable_by_default() if deferrable is None else deferrable
        # Starting from the trigger would fix the day when the file is read: it starts in a
        # process, and its day is that of the start.
        self.end_from_trigger = end_from_trigger
        self._target: datetime | None = None

    @property
    def target_datetime(self) -> datetime:
        """The instant waited for."""
        if self._target is None:
            zone: Any = self.dag.timezone if self.dag is not None else timezone.utc
            today = timezone.utcnow().astimezone(zone).date()
            local = datetime.combine(today, self.target_time.replace(tzinfo=None))
            made = timezone.make_aware(local, self.target_time.tzinfo or zone)
            self._target = timezone.plain_utc(made)
        return self._target

    def poke(self, context: Any) -> bool:
        self.log.info("Is %s over?", self.target_datetime)
        return timezone.utcnow() > self.target_datetime

    def execute(self, context: Any) -> None:
        self._target = None
        if not self.deferrable:
            super().execute(context)
            return
        from ..triggers.temporal import DateTimeTrigger

        self.defer(
            trigger=DateTimeTrigger(self.target_datetime, end_from_trigger=self.end_from_trigger),
            method_name="execute_complete",
            timeout=timedelta(seconds=self.timeout),
        )

    def execute_complete(self, context: Any, event: Any = None) -> None:
        """Do nothing: the time is over."""


class TimeSensorAsync(TimeSensor):
    """The same, waiting in the triggerer."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "deferrable": True})
