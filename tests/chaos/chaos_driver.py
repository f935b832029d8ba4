"""Kills and stops processes of one home at random, from a seed, and lets it come to rest.

Processes are told by their name (as process lists show it) and by the home in their environment.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deployment import Deployment

POLL_S = 0.1

#: (weight, what is done, names of processes that it is done to)
ACTS: Sequence[tuple[int, str, tuple[str, ...]]] = (
    (3, "kill", ("tradewind-sched",)),
    (3, "kill", ("tradewind-runne",)),
    (2, "kill", ("tradewind-host",)),
    (2, "kill", ("tradewind-zyg",)),
    (1, "kill", ("tradewind-web",)),
    (2, "kill", ("tradewind-parse",)),  # with the triggerer
    (1, "stop", ("tradewind-sched", "tradewind-runne", "tradewind-host", "tradewind-zyg")),
    (1, "restart", ()),
    (1, "lock", ()),
)


@dataclass
class Chaos:
    """One seeded series of acts on one deployment."""

    deployment: Deployment
    seed: int
    acts: Sequence[tuple[int, str, tuple[str, ...]]] = ACTS
    done: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def run(self, seconds: float, pause_s: float = 2.0) -> None:
        """Act every *pause_s* seconds or so."""
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            time.sleep(self.random.uniform(0.2, 2 * pause_s))
            _, act, names = self.random.choices(self.acts, [one[0] for one in self.acts])[0]
            getattr(self, f"_{act}")(names)

    def pids(self, names: Sequence[str]) -> list[int]:
        """Return processes of the home whose name begins with one of *names*."""
        found = []
        for pid in self.deployment.pids():
            with contextlib.suppress(OSError):
                name = Path(f"/proc/{pid}/comm").read_text().strip()
                if name.startswith(tuple(names)):
                    found.append(pid)
        return sorted(found)

    def _kill(self, names: Sequence[str]) -> None:
        found = self.pids(names)
        if found:
            self._signal(self.random.choice(found), signal.SIGKILL)
            self.done[f"kill {names[0]}"] += 1

    def _stop(self, names: Sequence[str]) -> None:
        """SIGSTOP for a few seconds: less than a lease, now and then more than a heartbeat."""
        found = self.pids(names)
        if found:
            victim = self.random.choice(found)
            self._signal(victim, signal.SIGSTOP)
            time.sleep(self.random.uniform(0.5, 7.0))
            self._signal(victim, signal.SIGCONT)
            self.done["stop"] += 1

    def _restart(self, names: Sequence[str]) -> None:
        """Everything at once, and the command is given again."""
        for pid in self.deployment.pids():
            self._signal(pid, signal.SIGKILL)
        self.deployment.wait_server()
        self.deployment.start()
        self.done["kill everything"] += 1

    def _lock(self, names: Sequence[str]) -> None:
        """Another program keeps the database to itself for some seconds."""
        path = self.deployment.home / "tradewind.db"
        with contextlib.closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            time.sleep(self.random.uniform(0.5, 8.0))
            other.execute("COMMIT")
        self.done["lock"] += 1

    def _signal(self, pid: int, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def wait_until(holds: Callable[[], object], seconds: float) -> float | None:
    """Return after how many seconds *holds* first held; None: not in time."""
    started_s = time.monotonic()
    while time.monotonic() - started_s < seconds:
        if holds():
            return time.monotonic() - started_s
        time.sleep(POLL_S)
    return None


def is_at_rest(deployment: Deployment, runs: int) -> bool:
    """Whether so many runs exist, all have ended, and no callback waits."""
    [row] = deployment.query(
        "select count(*) n, coalesce(sum(state in ('queued', 'running')), 0) going from dag_run"
    ) or [{"n": 0, "going": 1}]
    waiting = deployment.query("select 1 from outbox where state = 'waiting' limit 1")
    return bool(row["n"] >= runs and not row["going"] and not waiting)
