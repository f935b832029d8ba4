"""Two schedulers, two Celery workers: all die at random, Redis forgets, PostgreSQL goes away.

Slow: three minutes of deaths (TRADEWIND_CHAOS_S), then rest. The results that count are written
down in docs/reliability.md. A short round of everything at once is part of every run of the suite.
"""

from __future__ import annotations

import os
import random
import signal
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "servers"))

from chaos_cluster import Cluster, hurt, time_to_next_mark
from chaos_invariants import check_service_logs, find_violations, witness_edges
from chaos_witness import read_marks
from postgresql_server import Databases, PostgresqlServer
from redis_server import running_redis

CHAOS_S = float(os.environ.get("TRADEWIND_CHAOS_S", "180"))
SHORT_S = 20.0
SEED = int(os.environ.get("TRADEWIND_CHAOS_SEED", "1"))
WIDTH = 10
REST_DEADLINE_S = 240.0


@contextmanager
def running_cluster(folder: Path) -> Iterator[tuple[Cluster, PostgresqlServer]]:
    """Two schedulers and two workers, with servers of their own that can be stopped."""
    # What is committed must be there after a crash of the server.
    server = PostgresqlServer({"synchronous_commit": ""})
    try:
        server.start()
        with running_redis() as redis:
            cluster = Cluster(folder / "cluster", Databases(server.url).create(), redis)
            try:
                assert cluster.cli("db", "migrate").returncode == 0
                yield cluster, server
            finally:
                cluster.close()
    finally:
        server.close()


def play(cluster: Cluster, chance: random.Random, seconds: float, also: Callable[[], None]) -> None:
    """Hurt the cluster for so long, let it rest, and look whether anything is broken.

    Args:
        also: what goes on beside it, in a thread, for as long as it likes.
    """
    witness = cluster.folder / "witness"
    done: Counter[str] = Counter()
    with cluster.under_load(witness, width=WIDTH, longest_s=0.5, most=12) as triggered:
        beside = threading.Thread(target=also)
        beside.start()
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            time.sleep(chance.uniform(0.5, 4.0))
            done[hurt(cluster, chance)] += 1
            time.sleep(chance.uniform(0.0, 1.0))
            cluster.keep_alive()
        beside.join()
    rested_s = cluster.come_to_rest(REST_DEADLINE_S)

    marks = read_marks(witness)
    broken = find_violations(cluster.database_url, marks, edges=witness_edges(WIDTH))
    broken += check_service_logs(sorted(cluster.folder.glob("*.out")))
    starts = sum(1 for mark in marks if mark.kind == "START")
    story = [f"seed {SEED}: {len(triggered)} runs, {starts} starts, at rest in {rested_s:.1f} s"]
    story += [f"  {count:4d} {what}" for what, count in sorted(done.items())]
    sys.stdout.write("\n".join(story) + "\n")
    assert not broken, "\n".join(broken[:30])


@pytest.mark.slow
def test_deaths_of_everything_lose_nothing_and_double_nothing(tmp_path):
    with running_cluster(tmp_path) as (cluster, _):
        play(cluster, random.Random(SEED), CHAOS_S, lambda: None)


@pytest.mark.parametrize(
    "seconds", [SHORT_S, pytest.param(CHAOS_S, marks=pytest.mark.slow)], ids=["short", "long"]
)
def test_everything_at_once_loses_nothing_and_doubles_nothing(tmp_path, seconds):
    """Deaths, a forgetful broker, and a database that goes away every 5 to 20 s."""
    recovered_s: list[float] = []

    def restart_postgresql() -> None:
        chance = random.Random(SEED)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            time.sleep(chance.uniform(5.0, 20.0))
            server.stop(chance.choice([signal.SIGINT, signal.SIGQUIT]))
            time.sleep(chance.uniform(0.0, 5.0))
            server.start()
            recovered_s.append(time_to_next_mark(cluster.folder / "witness"))

    with running_cluster(tmp_path) as (cluster, server):
        play(cluster, random.Random(SEED), seconds, restart_postgresql)

    sys.stdout.write(
        f"  {len(recovered_s)} stops of PostgreSQL; the next mark after it was back: median"
        f" {statistics.median(recovered_s):.1f} s, longest {max(recovered_s):.1f} s\n"
    )
