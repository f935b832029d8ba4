"""PostgreSQL, Redis, two schedulers, two Celery workers: all die at random, nothing is lost.

Slow: three minutes of deaths (TRADEWIND_CHAOS_S), then rest. The result that counts is written down
in docs/reliability.md.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "servers"))

from chaos_invariants import check_service_logs, find_violations, witness_edges
from chaos_witness import read_marks, witness_dag
from redis_server import RedisServer, running_redis
from sqlalchemy import create_engine
from tradewind.database.engine import parse_url

CHAOS_S = float(os.environ.get("TRADEWIND_CHAOS_S", "180"))
SEED = int(os.environ.get("TRADEWIND_CHAOS_SEED", "1"))
WIDTH = 10
REST_DEADLINE_S = 240.0
DAG_ID = "witness"
UNFINISHED = "SELECT count(*) FROM dag_run WHERE state IN ('queued', 'running')"


class Cluster:
    """All processes on this machine, each service in a home of its own."""

    def __init__(self, folder: Path, database_url: str, redis: RedisServer) -> None:
        self.folder = folder
        self.redis = redis
        self.database_url = database_url
        (folder / "dags").mkdir(parents=True)
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "TRADEWIND"))},
            "TRADEWIND__CORE__DAGS_FOLDER": str(folder / "dags"),
            "TRADEWIND__CORE__LOAD_EXAMPLES": "false",
            "TRADEWIND__CORE__EXECUTOR": "CeleryExecutor",
            "TRADEWIND__CORE__FERNET_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
            "TRADEWIND__API__SECRET_KEY": "a key that all machines of these tests share",
            "TRADEWIND__CELERY__BROKER_URL": redis.url(),
            "TRADEWIND__DATABASE__SQL_ALCHEMY_CONN": database_url,
            "TRADEWIND__LOGGING__BASE_LOG_FOLDER": str(folder / "logs"),
        }
        self.services: dict[str, subprocess.Popen[bytes]] = {}
        self.engine = create_engine(parse_url(database_url))

    def commands(self) -> dict[str, list[str]]:
        worker = ["celery", "worker", "-c", "6", "--skip-serve-logs"]
        return {
            "scheduler_1": ["scheduler"],
            "scheduler_2": ["scheduler"],
            "worker_1": [*worker, "-H", "one@%h"],
            "worker_2": [*worker, "-H", "two@%h"],
        }

    def environment_of(self, name: str) -> dict[str, str]:
        return {**self.environment, "TRADEWIND_HOME": str(self.folder / name)}

    def start(self, name: str) -> None:
        program = Path(sys.executable).with_name("tradewind")
        with (self.folder / f"{name}.out").open("ab") as output:
            self.services[name] = subprocess.Popen(
                [program, *self.commands()[name]],
                env=self.environment_of(name),
                stdout=output,
                stderr=output,
            )

    def keep_alive(self) -> None:
        for name in self.commands():
            if name not in self.services or self.services[name].poll() is not None:
                self.start(name)

    def cli(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [Path(sys.executable).with_name("tradewind"), *arguments],
            env=self.environment_of("cli"),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def processes(self) -> list[tuple[int, str]]:
        """Return (pid, name) of our services' processes, tasks and hosts among them."""
        found = []
        marks = {f"TRADEWIND_HOME={self.folder / name}" for name in self.commands()}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    words = (entry / "environ").read_bytes().decode(errors="replace").split("\0")
                    if marks.intersection(words):
                        found.append((int(entry.name), (entry / "comm").read_text().strip()))
        return found

    def unfinished(self) -> int:
        with self.engine.connect() as connection:
            return int(connection.exec_driver_sql(UNFINISHED).scalar_one())

    def close(self) -> None:
        for process in self.services.values():
            process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + 15
        while any(one.poll() is None for one in self.services.values()):
            if time.monotonic() > deadline:
                break
            time.sleep(0.1)
        for pid, _ in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for process in self.services.values():
            process.wait()
        self.engine.dispose()


def hurt(cluster: Cluster, chance: random.Random) -> str:
    """Do one bad thing; return its name."""
    what = chance.choice(["service", "process", "process", "process", "flush", "restart"])
    if what == "service":
        name = chance.choice(sorted(cluster.services))
        cluster.services[name].kill()
        cluster.services[name].wait()
        return f"kill -9 {name.partition('_')[0]}, all of it"
    if what == "process":
        candidates = sorted(cluster.processes(), key=lambda one: (one[1], one[0]))
        if not candidates:
            return "nothing"
        kinds = sorted({name.partition(":")[0] for _, name in candidates})
        kind = chance.choice(kinds)
        pid, name = chance.choice([one for one in candidates if one[1].startswith(kind)])
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        return f"kill -9 {name if name.startswith('tradewind') else 'another process'}"
    if what == "flush":
        cluster.redis.ask("FLUSHALL")
        return "FLUSHALL"
    cluster.redis.kill()
    time.sleep(chance.uniform(0.0, 2.0))
    cluster.redis.start()
    return "restart of Redis"


@pytest.mark.slow
def test_deaths_of_everything_lose_nothing_and_double_nothing(tmp_path, make_postgresql):
    chance = random.Random(SEED)
    with running_redis() as redis:
        cluster = Cluster(tmp_path / "cluster", make_postgresql(is_migrated=True), redis)
        try:
            play(cluster, chance)
        finally:
            cluster.close()


def play(cluster: Cluster, chance: random.Random) -> None:
    witness = cluster.folder / "witness"
    text = witness_dag(DAG_ID, witness, width=WIDTH)
    (cluster.folder / "dags" / "witness.py").write_text(text)
    cluster.keep_alive()
    wait_until(lambda: cluster.cli("dags", "trigger", DAG_ID, "--run-id", "first").returncode == 0)
    is_over = threading.Event()
    triggered = ["first"]

    def trigger() -> None:
        while not is_over.wait(0.5):
            if cluster.unfinished() < 12:
                run_id = f"run_{len(triggered)}"
                if cluster.cli("dags", "trigger", DAG_ID, "--run-id", run_id).returncode == 0:
                    triggered.append(run_id)

    thread = threading.Thread(target=trigger)
    thread.start()
    done: Counter[str] = Counter()
    deadline = time.monotonic() + CHAOS_S
    while time.monotonic() < deadline:
        time.sleep(chance.uniform(0.5, 4.0))
        done[hurt(cluster, chance)] += 1
        time.sleep(chance.uniform(0.0, 1.0))
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
    story = [f"seed {SEED}: {len(triggered)} runs, {starts} starts, at rest in {rested_s:.1f} s"]
    story += [f"  {count:4d} {what}" for what, count in sorted(done.items())]
    sys.stdout.write("\n".join(story) + "\n")
    assert not broken, "\n".join(broken[:30])


def wait_until(holds, deadline_s: float = 90.0) -> None:
    deadline = time.monotonic() + deadline_s
    while not holds():
        assert time.monotonic() < deadline, f"not within {deadline_s} s"
        time.sleep(0.3)
