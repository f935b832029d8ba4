"""Where the rest of the system gets the time from: a clock that is handed in, never the wall's.

Production hands in ``WallClock``, tests and previews a ``VirtualClock`` that they move by hand.
Besides ``timezone.py`` (for DAG authors) this is the only module that reads the wall clock.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from datetime import UTC, datetime, timedelta


def next_round_s(now_s: float, interval_s: float, phase_s: float = 0.0) -> float:
    """Return the first multiple of *interval_s*, plus *phase_s*, after an instant of the clock.

    The steady clock is one for all processes of a machine. They say that they live within the same
    second, and not at the same instant, where each would wait for its turn to write: in all other
    seconds nothing is written that would make others look again.
    """
    due_s = ((now_s - phase_s) // interval_s + 1) * interval_s + phase_s
    return due_s if due_s > now_s else due_s + interval_s


class Clock(ABC):
    """The time of day for rows, and a steady time for deadlines within one process."""

    @abstractmethod
    def now(self) -> datetime:
        """Return the present instant, aware, in UTC. It may step backwards."""

    @abstractmethod
    def monotonic(self) -> float:
        """Return seconds since an arbitrary origin. It never steps backwards."""


class WallClock(Clock):
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(tz=UTC)  # noqa: TID251 - this is the one place

    def monotonic(self) -> float:
        return time.monotonic()


class VirtualClock(Clock):
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime) -> None:
        """Start at *now*.

        Raises:
            ValueError: *now* is naive.
        """
        self._now = _aware(now)
        self._monotonic_s = 0.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic_s

    def set(self, now: datetime) -> None:
        """Move to *now*, also backwards; the steady time only follows forwards.

        Raises:
            ValueError: *now* is naive.
        """
        moved = _aware(now)
        self._monotonic_s += max(0.0, (moved - self._now).total_seconds())
        self._now = moved

    def advance(
        self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0
    ) -> datetime:
        """Let time pass, and return the new present.

        Raises:
            ValueError: the length is negative; only ``set`` steps back.
        """
        passed = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        if passed < timedelta(0):
            raise ValueError("a clock advances by a length of time that is not negative")
        self.set(self._now + passed)
        return self._now


def _aware(instant: datetime) -> datetime:
    if instant.utcoffset() is None:
        raise ValueError(f"a clock shows aware instants; {instant.isoformat()} is naive")
    return instant.astimezone(UTC)
