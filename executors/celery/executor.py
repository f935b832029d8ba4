"""The Celery executor as the scheduler sees it: it sends hints, nothing else.

What runs where is known from rows; results are written by the workers' runners. A cancelled
attempt is found by its own runner, which looks for fenced ones with every renewal of its lease.
"""

from __future__ import annotations

from collections.abc import Collection

from ..base import AttemptKey, Executor, Hint
from .app import make_app
from .publisher import HintPublisher


class CeleryExecutor(Executor):
    """Hands hints to Celery workers (``tradewind celery worker``)."""

    def __init__(self) -> None:
        self._publisher = HintPublisher(make_app())
        self._is_started = False

    def start(self) -> None:
        """See ``Executor.start``. A broker that is away is waited for in the background."""
        if not self._is_started:
            self._is_started = True
            self._publisher.start()

    def submit(self, hint: Hint) -> None:
        """See ``Executor.submit``."""
        self._publisher.put([hint])

    def cancel(self, keys: Collection[AttemptKey]) -> None:
        """See ``Executor.cancel``. Nothing to send: each runner looks for itself."""

    def slots(self) -> int | None:
        """See ``Executor.slots``. Workers come and go; only their rows say what they have."""
        return None

    def stop(self, grace_s: float) -> None:
        """See ``Executor.stop``. Workers go on: they are processes of their own."""
        if self._is_started:
            self._is_started = False
            self._publisher.stop(grace_s)
