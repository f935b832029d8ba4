"""PostgreSQL, Redis, two schedulers and two Celery workers as processes of one machine.

Each service has a home of its own, and is started again when it is gone.
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
from collections.abc import Callable, Iterator
from pathlib import Path

from chaos_witness import witness_dag
from redis_server import RedisServer
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from tradewind.database.engine import parse_url

DAG_ID = "witness"
UNFINISHED = "SELECT count(*) FROM dag_run WHERE state IN ('queued', 'running')"
NOBODY_KNOWS = 1_000


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
        """Return how many runs have not ended; a large number while the database is away."""
        try:
            with self.engine.connect() as connection:
                return int(connection.exec_driver_sql(UNFINISHED).scalar_one())
        except DBAPIError:
            return NOBODY_KNOWS

    @contextlib.contextmanager
    def under_load(
        self, witness: Path, *, width: int, longest_s: float, most: int
    ) -> Iterator[list[str]]:
        """Start all, and keep so many runs of a witness DAG going; gives their ids."""
        (self.folder / "dags" / "witness.py").write_text(
            witness_dag(DAG_ID, witness, width=width, longest_s=longest_s)
        )
        self.keep_alive()
        wait_until(lambda: self.trigger("first"))
        wait_until(witness.exists)  # all are up, and at work
        is_over = threading.Event()
        triggered = ["first"]

        def trigger() -> None:
            while not is_over.wait(0.5):
                run_id = f"run_{len(triggered)}_{time.monotonic_ns()}"
                if self.unfinished() < most and self.trigger(run_id):
                    triggered.append(run_id)

        thread = threading.Thread(target=trigger)
        thread.start()
        try:
            yield triggered
        finally:
            is_over.set()
            thread.join()

    def trigger(self, run_id: str) -> bool:
        return self.cli("dags", "trigger", DAG_ID, "--run-id", run_id).returncode == 0

    def come_to_rest(self, deadline_s: float) -> float:
        """Wait until all runs have ended; return after how many seconds."""
        self.keep_alive()
        healed_s = time.monotonic()
        wait_until(lambda: self.unfinished() == 0 or self.keep_alive(), deadline_s)
        return time.monotonic() - healed_s

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


def kill_service(cluster: Cluster, chance: random.Random) -> str:
    """Kill a whole service, its first process that is."""
    name = chance.choice(sorted(cluster.services))
    cluster.services[name].kill()
    cluster.services[name].wait()
    return f"kill -9 {name.partition('_')[0]}, all of it"


def kill_process(cluster: Cluster, chance: random.Random) -> str:
    """Kill one process of ours, of a kind drawn first."""
    candidates = sorted(cluster.processes(), key=lambda one: (one[1], one[0]))
    if not candidates:
        return "nothing"
    kinds = sorted({name.partition(":")[0] for _, name in candidates})
    kind = chance.choice(kinds)
    pid, name = chance.choice([one for one in candidates if one[1].startswith(kind)])
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    return f"kill -9 {name if name.startswith('tradewind') else 'another process'}"


def flush(cluster: Cluster, chance: random.Random) -> str:
    cluster.redis.ask("FLUSHALL")
    return "FLUSHALL"


def restart_redis(cluster: Cluster, chance: random.Random) -> str:
    cluster.redis.kill()
    time.sleep(chance.uniform(0.0, 2.0))
    cluster.redis.start()
    return "restart of Redis"


#: A draw takes one of them; what kills a process comes more often.
HURTS: list[Callable[[Cluster, random.Random], str]] = [
    kill_service,
    *[kill_process] * 3,
    flush,
    restart_redis,
]


def hurt(cluster: Cluster, chance: random.Random) -> str:
    """Do one bad thing; return its name."""
    return chance.choice(HURTS)(cluster, chance)


def time_to_next_mark(witness: Path, limit_s: float = 30.0) -> float:
    """Return after how many seconds a task begins or ends, *limit_s* where none does."""
    began_s = time.monotonic()
    size = witness.stat().st_size if witness.exists() else 0
    while time.monotonic() - began_s < limit_s:
        if witness.exists() and witness.stat().st_size > size:
            break
        time.sleep(0.05)
    return time.monotonic() - began_s


def wait_until(holds, deadline_s: float = 180.0) -> None:
    deadline = time.monotonic() + deadline_s
    while not holds():
        assert time.monotonic() < deadline, f"not within {deadline_s} s"
        time.sleep(0.3)
