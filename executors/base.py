"""The executor interface: where task instances run.

An executor hands over work and never writes a state: results are written by the runner, and
limits are counted from rows. Five methods are the whole contract; ``tests/conformance`` holds
the suite that every implementation passes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hint:
    """One queued task instance may be claimed. Losing or doubling a hint is harmless."""

    task_instance_id: int
    epoch: int
    queue: str


@dataclass(frozen=True, slots=True)
class AttemptKey:
    """One hand-out of one try."""

    task_instance_id: int
    epoch: int


class Executor(ABC):
    """Where task instances run."""

    @abstractmethod
    def start(self) -> None:
        """Acquire what submitting needs. Called once, before any other method."""

    @abstractmethod
    def submit(self, hint: Hint) -> None:
        """Pass on that one queued task instance may be claimed. Returns at once."""

    @abstractmethod
    def cancel(self, keys: Collection[AttemptKey]) -> None:
        """Stop these attempts if they still run. Unknown keys are ignored."""

    @abstractmethod
    def slots(self) -> int | None:
        """Return how many more hints can start now, None where the executor cannot know."""

    @abstractmethod
    def stop(self, grace_s: float) -> None:
        """Let running work end for *grace_s* seconds, then give up the rest."""
