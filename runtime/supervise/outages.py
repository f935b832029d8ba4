"""The database is away: how that is recognised, and when to try again."""

from __future__ import annotations

import random

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ...database.errors import DatabaseAway
from ...sdk.clock import Clock

#: What the store raises while the database cannot be reached, is locked, full or read-only.
DATABASE_AWAY = (OperationalError, InterfaceError, PoolTimeout, DatabaseAway)

WAIT_MIN_S = 0.05
WAIT_MAX_S = 5.0


class Backoff:
    """Waits longer after each failure, up to ``WAIT_MAX_S``, with jitter; for ever."""

    def __init__(self, clock: Clock, jitter: random.Random | None = None) -> None:
        self._clock = clock
        self._random = jitter or random.Random()  # noqa: S311 - spreading load, not secrecy
        self._wait_s = 0.0
        self.due = 0.0

    def is_over(self) -> bool:
        """Whether it is time to try (again)."""
        return self._clock.monotonic() >= self.due

    def fail(self) -> None:
        """Note a failure."""
        self._wait_s = min(WAIT_MAX_S, max(WAIT_MIN_S, self._wait_s * 2))
        self.due = self._clock.monotonic() + self._wait_s * self._random.uniform(0.7, 1.3)

    def succeed(self) -> None:
        """Note a success."""
        self._wait_s = 0.0
        self.due = 0.0
