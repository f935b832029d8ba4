"""What the machine itself needs: the floors beside which figures are read."""

from __future__ import annotations

import os
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path

ROUNDS = 60


def bare_fork_ms() -> float:
    """Median of fork, exit and wait in a process that has imported what a task host has."""
    import jinja2  # noqa: F401 - weighs on the fork
    import pendulum  # noqa: F401
    import tradewind.operators.python
    import tradewind.sdk.dag  # noqa: F401

    taken = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitpid(pid, 0)
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken)


def bare_commit_ms() -> float:
    """Median of one durable commit of one row on this disk (WAL, synchronous=FULL)."""
    with tempfile.TemporaryDirectory() as folder:
        connection = sqlite3.connect(Path(folder) / "floor.db", isolation_level=None)
        connection.execute("pragma journal_mode=wal")
        connection.execute("pragma synchronous=full")
        connection.execute("create table t (a integer)")
        taken = []
        for number in range(ROUNDS):
            started = time.perf_counter()
            connection.execute("begin immediate")
            connection.execute("insert into t values (?)", (number,))
            connection.execute("commit")
            taken.append((time.perf_counter() - started) * 1000)
        connection.close()
    return statistics.median(taken)
