"""The database is away: how that is recognised, and when to try again."""

from __future__ import annotations

import logging
import random
import sys

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ...database.errors import DatabaseAway
from ...sdk.clock import Clock

#: What the store raises while the database cannot be reached, is locked, full or read-only.
DATABASE_AWAY = (OperationalError, InterfaceError, PoolTimeout, DatabaseAway)

WAIT_MIN_S = 0.05
#: Less than the 5 s after which work goes on again (reliability, section 5).
WAIT_MAX_S = 3.0
#: A wait is this part of the time that the outage lasts already: after a restart of some seconds
#: work goes on within one, and nobody asks a server often that has been away for long.
WAIT_SHARE = 0.2


def log_failure(log: logging.Logger, message: str, *arguments: object) -> None:
    """Log the exception in hand: an outage of the database in a line, all else with its trace."""
    error = sys.exc_info()[1]
    if isinstance(error, DATABASE_AWAY):
        log.warning(f"{message}: %s", *arguments, first_line(error))
    else:
        log.exception(message, *arguments)


def first_line(error: BaseException) -> str:
    """Return what an error says, as one line."""
    return next(iter(str(error).splitlines()), type(error).__name__)


class Backoff:
    """Waits longer the longer failures last, up to ``WAIT_MAX_S``, with jitter; for ever."""

    def __init__(self, clock: Clock, jitter: random.Random | None = None) -> None:
        self._clock = clock
        self._random = jitter or random.Random()  # noqa: S311 - spreading load, not secrecy
        self._failing_since_s: float | None = None
        self.due = 0.0

    def is_over(self) -> bool:
        """Whether it is time to try (again)."""
        return self._clock.monotonic() >= self.due

    def fail(self) -> None:
        """Note a failure."""
        now_s = self._clock.monotonic()
        if self._failing_since_s is None:
            self._failing_since_s = now_s
        wait_s = max(WAIT_MIN_S, WAIT_SHARE * (now_s - self._failing_since_s))
        self.due = now_s + min(WAIT_MAX_S, wait_s) * self._random.uniform(0.7, 1.3)

    def succeed(self) -> None:
        """Note a success."""
        self._failing_since_s = None
        self.due = 0.0
