"""Answers of parser children that wait to be stored: some at a time, in one transaction.

A file that changed alone is stored at once. Of many, one that is answered waits a moment for the
next ones, so that 500 files cost 60 commits and wake-ups of others instead of 500.
"""

from __future__ import annotations

from ..database.values import ParsedFile
from ..sdk.clock import Clock

#: A transaction of so many files holds up other writers for a few milliseconds.
TOGETHER_MAX = 8
#: How long an answer waits for others, in seconds.
WAIT_S = 0.1


class UnsavedFiles:
    """In the order in which they were answered; through an outage of the database they stay."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._files: list[ParsedFile] = []
        self._since_s = 0.0
        self._together_max = TOGETHER_MAX

    def __bool__(self) -> bool:
        return bool(self._files)

    def add(self, parsed: ParsedFile) -> None:
        """Keep one answer until it is stored."""
        if not self._files:
            self._since_s = self._clock.monotonic()
        self._files.append(parsed)

    def due(self, *, are_more_coming: bool) -> list[ParsedFile]:
        """Return what is to be stored now, in one transaction.

        Args:
            are_more_coming: whether other files are being imported, or wait for it.
        """
        is_worth_waiting = (
            are_more_coming
            and len(self._files) < self._together_max
            and self._clock.monotonic() - self._since_s < WAIT_S
        )
        return [] if is_worth_waiting else self._files[: self._together_max]

    def saved(self, count: int) -> None:
        """Forget the first *count*: they are stored."""
        del self._files[:count]
        self._since_s = self._clock.monotonic()
        self._together_max = TOGETHER_MAX

    def failed(self) -> None:
        """Have the next tries take one file each: one that cannot be stored delays few others."""
        self._together_max = 1
