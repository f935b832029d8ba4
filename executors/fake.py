"""An executor that only remembers what it was told. For tests of whoever hands out work."""

from __future__ import annotations

from collections.abc import Collection

from .base import AttemptKey, Executor, Hint


class FakeExecutor(Executor):
    """Records hints and cancellations; runs nothing."""

    def __init__(self, slots: int | None = None) -> None:
        """Args: slots: what ``slots()`` answers."""
        self.is_started = False
        self.submitted: list[Hint] = []
        self.cancelled: list[AttemptKey] = []
        self.stopped_with_grace_s: float | None = None
        self._slots = slots

    def start(self) -> None:
        """See ``Executor.start``."""
        self.is_started = True

    def submit(self, hint: Hint) -> None:
        """See ``Executor.submit``."""
        self.submitted.append(hint)

    def cancel(self, keys: Collection[AttemptKey]) -> None:
        """See ``Executor.cancel``."""
        self.cancelled.extend(keys)

    def slots(self) -> int | None:
        """See ``Executor.slots``."""
        return self._slots

    def stop(self, grace_s: float) -> None:
        """See ``Executor.stop``."""
        self.stopped_with_grace_s = grace_s
