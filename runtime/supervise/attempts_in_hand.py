"""What a runner keeps in memory: the attempts that run, and what waits for the database."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from ...database.values import AttemptResult, Claim
from .processes import Asked


@dataclass(slots=True)
class RunningAttempt:
    """One attempt in hand. ``…_due`` are readings of the monotonic clock."""

    claim: Claim
    log_path: str
    deadline_due: float
    deadline_reason: str
    pid: int | None = None
    started_at: datetime | None = None
    has_entered: bool = False
    is_start_recorded: bool = False
    stopped_because: str = ""
    kill_due: float | None = None
    is_killed: bool = False


@dataclass(slots=True)
class PendingWrites:
    """What waits for the next transaction."""

    results: list[AttemptResult] = field(default_factory=list)
    returned: list[tuple[Claim, str]] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)


def attempt_key(task_instance_id: int, epoch: int) -> str:
    """Return the name of one attempt, as processes carry it."""
    return f"{task_instance_id}-{epoch}"
