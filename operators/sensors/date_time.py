"""``DateTimeSensor``: waits until an instant (semantics section 6.2)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NoReturn

from ...sdk import timezone
from ...sdk.base_sensor import BaseSensorOperator
from ...sdk.exceptions import InvalidArgumentError


class DateTimeSensor(BaseSensorOperator):
    """Waits until *target_time*, a datetime or its text (templates allowed), is over.

    Raises:
        TypeError: *target_time* is neither.
    """

    template_fields: Sequence[str] = ("target_time",)

    def __init__(self, *, target_time: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if isinstance(target_time, datetime):
            self.target_time: Any = target_time.isoformat()
        elif isinstance(target_time, str) or hasattr(target_time, "resolve"):
            self.target_time = target_time
        else:
            raise InvalidArgumentError(
                f"target_time must be a datetime or its text, not {type(target_time).__name__}"
            )

    @property
    def _moment(self) -> datetime:
        target = self.target_time
        moment = target if isinstance(target, datetime) else timezone.parse(str(target))
        return timezone.make_aware(moment) if timezone.is_naive(moment) else moment

    def poke(self, context: Any) -> bool:
        self.log.info("Is %s over?", self.target_time)
        return timezone.utcnow() > self._moment


class DateTimeSensorAsync(DateTimeSensor):
    """The same, waiting in the triggerer.

    Args:
        start_from_trigger: the task never gets a process before the instant.
        end_from_trigger: nor one after it.
    """

    def __init__(
        self,
        *,
        start_from_trigger: bool = False,
        end_from_trigger: bool = False,
        trigger_kwargs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.end_from_trigger = end_from_trigger
        self.start_from_trigger = start_from_trigger
        if start_from_trigger:
            from ...sdk.triggers import StartTriggerArgs

            self.start_trigger_args = StartTriggerArgs(
                trigger_cls=f"{_package}.triggers.temporal.DateTimeTrigger",
                trigger_kwargs=trigger_kwargs
                or {"moment": self._moment, "end_from_trigger": end_from_trigger},
                next_method="execute_complete",
            )

    def execute(self, context: Any) -> NoReturn:
        from ..triggers.temporal import DateTimeTrigger

        self.defer(
            trigger=DateTimeTrigger(self._moment, end_from_trigger=self.end_from_trigger),
            method_name="execute_complete",
            timeout=timedelta(seconds=self.timeout),
        )

    def execute_complete(self, context: Any, event: Any = None) -> None:
        """Do nothing: the instant is over."""


_package = __name__.rpartition(".sensors.")[0]
