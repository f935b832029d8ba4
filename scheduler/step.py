"""What the steps of the scheduler's loop have in common.

A step does one thing, in batches, by operations of the store; what it changed stands on the
tick. Steps hold no state of their own that a restart would lose.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from ..database.values import Advanced
from .quarantine import Quarantine


@dataclass(slots=True)
class Tick:
    """One pass of the loop. ``is_sweep``: look at everything, also where nobody rang."""

    now: datetime
    is_sweep: bool
    quarantine: Quarantine
    changed: bool = False
    #: executor → queued task instances to be hinted: id, epoch, queue.
    hints: dict[str, list[tuple[int, int, str]]] = field(default_factory=dict)

    def add(self, advanced: Advanced) -> None:
        """Take up what one store operation changed."""
        self.changed = self.changed or advanced.changed
        self.add_hints(advanced.hints)

    def add_hints(self, hints: Mapping[str, Sequence[tuple[int, int, str]]]) -> None:
        """Remember whom to hint, after the step's transaction has committed."""
        for executor, queued in hints.items():
            self.hints.setdefault(executor, []).extend(queued)


class Step(Protocol):
    """One thing that the loop does."""

    name: str

    def run(self, tick: Tick) -> None:
        """Do it once. An exception holds this step back for a while, and no other."""


Store = Any  # narrowed by the operations that each step calls; the real one is database.store
