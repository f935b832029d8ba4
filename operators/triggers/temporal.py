"""Triggers that fire at an instant, or after a length of time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

from ...sdk import timezone
from ...sdk.exceptions import InvalidArgumentError, InvalidValueError
from ...sdk.triggers import BaseTrigger, TaskSuccessEvent, TriggerEvent

#: The wall clock may be set while a trigger sleeps: it looks again at least this often.
_SLEEP_MAX_S = 60.0


class DateTimeTrigger(BaseTrigger):
    """Fires once *moment* (aware) is reached.

    Args:
        end_from_trigger: the task ends as a success then, without a process.

    Raises:
        TypeError: *moment* is no datetime.
        ValueError: it is naive.
    """

    def __init__(self, moment: datetime, *, end_from_trigger: bool = False) -> None:
        super().__init__()
        if not isinstance(moment, datetime):
            raise InvalidArgumentError(f"moment must be a datetime, not {type(moment).__name__}")
        if timezone.is_naive(moment):
            raise InvalidValueError("moment must have a time zone")
        self.moment = timezone.plain_utc(moment)
        self.end_from_trigger = end_from_trigger

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return class path and arguments."""
        return (
            f"{__name__}.DateTimeTrigger",
            {"moment": self.moment, "end_from_trigger": self.end_from_trigger},
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Sleep until the moment has come."""
        while (left_s := (self.moment - timezone.utcnow()).total_seconds()) > 0:
            await asyncio.sleep(min(left_s, _SLEEP_MAX_S))
        yield TaskSuccessEvent() if self.end_from_trigger else TriggerEvent(self.moment)


class TimeDeltaTrigger(DateTimeTrigger):
    """Fires *delta* after it was made. It is kept as an instant: a restart changes nothing."""

    def __init__(self, delta: timedelta, *, end_from_trigger: bool = False) -> None:
        super().__init__(timezone.utcnow() + delta, end_from_trigger=end_from_trigger)
