"""How a runner keeps its times, and how much it takes at once."""

from __future__ import annotations

from dataclasses import dataclass

#: Within a second, when a runner looks and writes without being rung (``next_round_s``).
PHASE_S = 0.25


@dataclass(frozen=True, slots=True)
class RunnerSettings:
    """Lengths of time in seconds. ``docs/configuration.md``, section [execution]."""

    slots: int = 32
    queues: tuple[str, ...] | None = None  # None: any
    sweep_s: float = 1.0
    #: How often attempts are looked for that are fenced by now, if no ring says so.
    fence_s: float = 1.0
    heartbeat_s: float = 5.0
    lease_s: float = 30.0
    #: Stop the tasks when the lease cannot be renewed, so that no other try can overlap.
    is_strict: bool = False
    kill_grace_s: float = 10.0
    shutdown_grace_s: float = 3.0
    #: How long tasks of a runner that is to stop may go on; a worker that drains has long.
    drain_s: float = 0.0
    #: From the claim until user code must have begun.
    entry_timeout_s: float = 150.0
