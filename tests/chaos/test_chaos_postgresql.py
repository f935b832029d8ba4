"""PostgreSQL goes away every 5 to 20 s under two schedulers with runners of their own.

Slow: three minutes of it (TRADEWIND_CHAOS_S), then rest. The result that counts is written down in
docs/reliability.md.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "servers"))

from chaos_cluster import Cluster, kill_process, time_to_next_mark
from chaos_invariants import check_service_logs, find_violations, witness_edges
from chaos_witness import read_marks
from postgresql_server import Databases, PostgresqlServer
from sqlalchemy import create_engine
from tradewind.database.engine import parse_url

CHAOS_S = float(os.environ.get("TRADEWIND_CHAOS_S", "180"))
SEED = int(os.environ.get("TRADEWIND_CHAOS_SEED", "1"))
WIDTH = 8
REST_DEADLINE_S = 300.0


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
    done: Counter[str] = Counter()
    recovered_s: list[float] = []
    with cluster.under_load(witness, width=WIDTH, longest_s=1.0, most=6) as triggered:
        deadline = time.monotonic() + CHAOS_S
        while time.monotonic() < deadline:
            time.sleep(chance.uniform(5.0, 20.0))
            how = chance.choice([signal.SIGINT, signal.SIGQUIT])
            server.stop(how)
            time.sleep(chance.uniform(0.0, 5.0))
            if chance.random() < 0.3:
                done[kill_process(cluster, chance)] += 1
            server.start()
            done["fast stop of PostgreSQL" if how == signal.SIGINT else "crash of PostgreSQL"] += 1
            recovered_s.append(time_to_next_mark(witness))
            cluster.keep_alive()
    rested_s = cluster.come_to_rest(REST_DEADLINE_S)

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


#: What holds although the database forgot: its own rows agree, and what it calls a success was one.
KEPT_BY_FORGETFUL = {"I-2", "I-3", "I-4", "I-8", "I-14", "I-16", "I-17", "I-19", "I-20", "I-32"}
FAILOVERS = 3


@pytest.mark.slow
def test_a_failover_that_loses_the_last_seconds_leaves_nothing_stuck_and_nothing_untrue(tmp_path):
    """Starts that the database forgot may be repeated; their results are never taken (E2, G-D3)."""
    server = PostgresqlServer({"synchronous_commit": ""})
    try:
        server.start()
        cluster = LocalCluster(tmp_path / "cluster", Databases(server.url).create())
        try:
            assert cluster.cli("db", "migrate").returncode == 0
            fail_over(cluster, server)
        finally:
            cluster.close()
    finally:
        server.close()


def fail_over(cluster: LocalCluster, server: PostgresqlServer) -> None:
    witness = cluster.folder / "witness"
    recovered_s, forgotten = [], 0
    with cluster.under_load(witness, width=WIDTH, longest_s=1.0, most=6):
        for number in range(FAILOVERS):
            server.stop()
            replica = server.folder / f"replica_{number}"
            shutil.copytree(server.data, replica)
            server.start()
            time_to_next_mark(witness)
            before = len(read_marks(witness))
            time.sleep(5.0)
            forgotten += len(read_marks(witness)) - before
            server.stop(signal.SIGQUIT)
            server.replace_data(replica)
            server.start()
            recovered_s.append(time_to_next_mark(witness))
            cluster.keep_alive()
    rested_s = cluster.come_to_rest(REST_DEADLINE_S)

    found = find_violations(
        cluster.database_url, read_marks(witness), edges=witness_edges(WIDTH)
    ) + check_service_logs(sorted(cluster.folder.glob("*.out")))
    sys.stdout.write(
        f"{FAILOVERS} failovers that lost {forgotten} marks; next mark after"
        f" {[round(one, 1) for one in recovered_s]} s; at rest in {rested_s:.1f} s;"
        f" starts that are not in the database: {sum('I-6' in one for one in found)}\n"
    )
    assert forgotten > 0
    broken = [one for one in found if one.split(":")[0].split("/")[0] in KEPT_BY_FORGETFUL]
    assert not broken, "\n".join(broken[:30])
