"""PostgreSQL goes away every 5 to 20 s under two schedulers with runners of their own.

Slow: three minutes of it (TRADEWIND_CHAOS_S), then rest. The result that counts is written down in
docs/reliability.md.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from chaos_invariants import check_service_logs, find_violations, witness_edges
from chaos_witness import read_marks, witness_dag
from postgresql_server import Databases, PostgresqlServer
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from tradewind.database.engine import parse_url

sys.path.insert(0, str(Path(__file__).parent))

from test_chaos_celery import Cluster, wait_until

CHAOS_S = float(os.environ.get("TRADEWIND_CHAOS_S", "180"))
SEED = int(os.environ.get("TRADEWIND_CHAOS_SEED", "1"))
WIDTH = 8
REST_DEADLINE_S = 300.0
DAG_ID = "witness"


class LocalCluster(Cluster):
    """Two schedulers, each with a home and a runner of its own, on one PostgreSQL."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder = folder
        self.database_url = database_url
        (folder / "dags").mkdir(parents=True)
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "TRADEWIND"))},
            "TRADEWIND__CORE__DAGS_FOLDER": str(folder / "dags"),
            "TRADEWIND__CORE__LOAD_EXAMPLES": "false",
            "TRADEWIND__CORE__FERNET_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
            "TRADEWIND__API__SECRET_KEY": "a key that all machines of these tests share",
            "TRADEWIND__DATABASE__SQL_ALCHEMY_CONN": database_url,
            "TRADEWIND__LOGGING__BASE_LOG_FOLDER": str(folder / "logs"),
            "TRADEWIND__EXECUTION__SLOTS": "6",
        }
        self.services = {}
        self.engine = create_engine(parse_url(database_url))

    def commands(self) -> dict[str, list[str]]:
        return {"scheduler_1": ["scheduler"], "scheduler_2": ["scheduler"]}

    def unfinished(self) -> int:
        try:
            return super().unfinished()
        except DBAPIError:
            return 1_000  # away: nobody knows


def kill_something(cluster: LocalCluster, chance: random.Random) -> str:
    """Kill one process of ours, of a kind drawn first."""
    candidates = sorted(cluster.processes(), key=lambda one: (one[1], one[0]))
    if not candidates:
        return "nothing"
    kind = chance.choice(sorted({name for _, name in candidates}))
    pid = chance.choice([pid for pid, name in candidates if name == kind])
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    return f"kill -9 {kind if kind.startswith('tradewind') else 'another process'}"


@pytest.mark.slow
def test_a_database_that_goes_away_again_and_again_loses_nothing(tmp_path):
    chance = random.Random(SEED)
    # What is committed must be there after a crash of the server.
    server = PostgresqlServer({"synchronous_commit": ""})
    try:
        server.start()
        cluster = LocalCluster(tmp_path / "cluster", Databases(server.url).create())
        try:
            assert cluster.cli("db", "migrate").returncode == 0
            play(cluster, server, chance)
        finally:
            cluster.close()
    finally:
        server.close()


def play(cluster: LocalCluster, server: PostgresqlServer, chance: random.Random) -> None:
    witness = cluster.folder / "witness"
    (cluster.folder / "dags" / "witness.py").write_text(
        witness_dag(DAG_ID, witness, width=WIDTH, longest_s=1.0)
    )
    cluster.keep_alive()
    wait_until(lambda: cluster.cli("dags", "trigger", DAG_ID, "--run-id", "first").returncode == 0)
    is_over = threading.Event()
    triggered = ["first"]

    def trigger() -> None:
        while not is_over.wait(0.5):
            if cluster.unfinished() < 6:
                run_id = f"run_{len(triggered)}_{time.monotonic_ns()}"
                if cluster.cli("dags", "trigger", DAG_ID, "--run-id", run_id).returncode == 0:
                    triggered.append(run_id)

    thread = threading.Thread(target=trigger)
    thread.start()
    done: Counter[str] = Counter()
    recovered_s: list[float] = []
    deadline = time.monotonic() + CHAOS_S
    while time.monotonic() < deadline:
        time.sleep(chance.uniform(5.0, 20.0))
        how = chance.choice([signal.SIGINT, signal.SIGQUIT])
        server.stop(how)
        time.sleep(chance.uniform(0.0, 5.0))
        if chance.random() < 0.3:
            done[kill_something(cluster, chance)] += 1
        server.start()
        done["fast stop of PostgreSQL" if how == signal.SIGINT else "crash of PostgreSQL"] += 1
        recovered_s.append(time_to_next_mark(witness))
        cluster.keep_alive()
    is_over.set()
    thread.join()
    cluster.keep_alive()
    healed_s = time.monotonic()
    wait_until(lambda: cluster.unfinished() == 0 or cluster.keep_alive(), REST_DEADLINE_S)
    rested_s = time.monotonic() - healed_s

    marks = read_marks(witness)
    broken = find_violations(cluster.database_url, marks, edges=witness_edges(WIDTH))
    broken += check_service_logs(sorted(cluster.folder.glob("*.out")))
    starts = sum(1 for mark in marks if mark.kind == "START")
    recovered_s.sort()
    story = [
        f"seed {SEED}: {len(triggered)} runs, {starts} starts, at rest in {rested_s:.1f} s",
        f"  next mark after the server was back: median"
        f" {recovered_s[len(recovered_s) // 2]:.1f} s, longest {recovered_s[-1]:.1f} s",
        *(f"  {count:4d} {what}" for what, count in sorted(done.items())),
    ]
    sys.stdout.write("\n".join(story) + "\n")
    assert not broken, "\n".join(broken[:30])


def time_to_next_mark(witness: Path, limit_s: float = 30.0) -> float:
    """Return after how many seconds a task begins or ends, *limit_s* where none does."""
    began_s = time.monotonic()
    size = witness.stat().st_size if witness.exists() else 0
    while time.monotonic() - began_s < limit_s:
        if witness.exists() and witness.stat().st_size > size:
            break
        time.sleep(0.05)
    return time.monotonic() - began_s
