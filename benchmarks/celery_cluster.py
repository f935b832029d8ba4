"""What one task instance costs on PostgreSQL, Redis and a Celery worker, all on this machine.

    python benchmarks/celery_cluster.py              # chain and wide, then the statements counted
    python benchmarks/celery_cluster.py chain --runs 5

Prints medians of wall time beside the floor of the same run (a bare fork), CPU seconds by process,
transactions, SQL statements and Redis commands for each task instance. ``docs/scale.md`` is made of
these figures.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "servers"))

from floors import bare_fork_ms
from postgresql_server import Databases, PostgresqlServer
from redis_server import RedisServer, running_redis
from run import CHAIN, CHAIN_LENGTH, HEAD, WIDE, WIDTH
from sqlalchemy import create_engine
from tradewind.database.engine import parse_url

CONCURRENCY = 8
BIN = Path(sys.executable).parent
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
WORKLOADS = {"chain": CHAIN_LENGTH, "wide": WIDTH}
RUN_TIMES = "SELECT state, started_at, ended_at FROM dag_run WHERE run_id = '{run_id}'"
#: From the end of one task instance to the start of the next, by the database.
HOPS = """
SELECT extract(epoch FROM a.started_at - lag(a.ended_at) OVER (ORDER BY a.started_at)) * 1000
FROM attempt a JOIN task_instance t ON t.id = a.task_instance_id
JOIN dag_run r ON r.id = t.dag_run_id WHERE r.run_id = '{run_id}'
"""


class Cluster:
    """PostgreSQL, Redis, one scheduler, one worker."""

    def __init__(self, home: Path, database_url: str, redis: RedisServer) -> None:
        self.home = home
        self.redis = redis
        (home / "dags").mkdir(parents=True)
        (home / "dags" / "workloads.py").write_text(HEAD + CHAIN + WIDE)
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "TRADEWIND"))},
            "TRADEWIND_HOME": str(home),
            "TRADEWIND__CORE__DAGS_FOLDER": str(home / "dags"),
            "TRADEWIND__CORE__LOAD_EXAMPLES": "false",
            "TRADEWIND__CORE__EXECUTOR": "CeleryExecutor",
            "TRADEWIND__CELERY__BROKER_URL": redis.url(),
            "TRADEWIND__DATABASE__SQL_ALCHEMY_CONN": database_url,
        }
        self.engine = create_engine(parse_url(database_url), isolation_level="AUTOCOMMIT")
        self.services: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        worker = ["celery", "worker", "-c", str(CONCURRENCY), "--skip-serve-logs"]
        for command in (["scheduler"], worker):
            with (self.home / f"{command[0]}.out").open("ab") as output:
                self.services.append(
                    subprocess.Popen(
                        [BIN / "tradewind", *command],
                        env=self.environment,
                        stdout=output,
                        stderr=output,
                    )
                )
        deadline = time.monotonic() + 60
        while self.cli("dags", "details", "wide") or not self.value(
            "SELECT count(*) FROM worker WHERE state = 'alive'"
        ):
            if time.monotonic() > deadline:
                raise SystemExit((self.home / "celery.out").read_text())
            time.sleep(0.5)

    def cli(self, *arguments: str) -> int:
        command = [BIN / "tradewind", *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, check=False)
        return done.returncode

    def value(self, text: str) -> Any:
        with self.engine.connect() as connection:
            return connection.exec_driver_sql(text).scalar()

    def run(self, dag_id: str, run_id: str) -> tuple[float, list[float]]:
        """Run one workload; return seconds from its start to its end, and its hops in ms."""
        assert self.cli("dags", "trigger", dag_id, "--run-id", run_id) == 0
        deadline = time.monotonic() + 600
        while time.monotonic() < deadline:
            with self.engine.connect() as connection:
                row = connection.exec_driver_sql(RUN_TIMES.format(run_id=run_id)).one()
                if row.state == "success":
                    hops = connection.exec_driver_sql(HOPS.format(run_id=run_id)).scalars()
                    took_s = (row.ended_at - row.started_at).total_seconds()
                    return took_s, [float(hop) for hop in hops if hop is not None]
            time.sleep(0.05)
        raise SystemExit(f"{run_id} did not end:\n{(self.home / 'celery.out').read_text()[-3000:]}")

    def cpu_s(self, postgres: int, redis: int) -> Counter[str]:
        """Return the CPU seconds that each kind of process has used so far."""
        used: Counter[str] = Counter()
        home = f"TRADEWIND_HOME={self.home}".encode()
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                name = (entry / "comm").read_text().strip()
                seconds = sum(int(field) for field in fields[11:15]) / TICKS_PER_S
                if int(fields[1]) == postgres or int(entry.name) == postgres:
                    used["postgresql"] += seconds
                elif int(entry.name) == redis:
                    used["redis"] += seconds
                elif home in (entry / "environ").read_bytes().split(b"\0"):
                    used[name.removeprefix("tradewind-").partition(":")[0][:10]] += seconds
        return used

    def close(self) -> None:
        for service in self.services:
            service.send_signal(signal.SIGTERM)
        for service in self.services:
            service.wait(30)
        self.engine.dispose()


def measure(
    cluster: Cluster, postgres: int, redis: int, runs: int, workloads: list[str]
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for dag_id in workloads:
        count = WORKLOADS[dag_id]
        cluster.run(dag_id, f"{dag_id}_warm")
        took, hops = [], []
        cpu, sent = cluster.cpu_s(postgres, redis), cluster.redis.commands_processed()
        commits = cluster.value("SELECT sum(xact_commit) FROM pg_stat_database")
        for number in range(runs):
            seconds, waits = cluster.run(dag_id, f"{dag_id}_{number}")
            took.append(seconds)
            hops += waits
        done = runs * count
        used = cluster.cpu_s(postgres, redis) - cpu
        commits = cluster.value("SELECT sum(xact_commit) FROM pg_stat_database") - commits
        found[dag_id] = {
            "ms per task instance, wall": round(statistics.median(took) / count * 1000, 1),
            "task instances/s": round(count / statistics.median(took), 1),
            "best task instances/s": round(count / min(took), 1),
            "ms per hop (end to start)": round(statistics.median(hops), 1),
            "Redis commands": round((cluster.redis.commands_processed() - sent) / done, 1),
            "transactions": round(float(commits) / done, 1),
            "CPU ms": {name: round(s / done * 1000, 2) for name, s in used.most_common(12)},
        }
        print(dag_id, json.dumps(found[dag_id]), f"load {os.getloadavg()[0]:.1f}", flush=True)
    return found


def count_statements(cluster: Cluster, log: Path, workloads: list[str]) -> dict[str, float]:
    """Count statements by the server's own log; it slows everything, so it is done last."""
    with cluster.engine.connect() as connection:
        connection.exec_driver_sql("ALTER SYSTEM SET log_statement = 'all'")
        connection.exec_driver_sql("SELECT pg_reload_conf()")
    time.sleep(1.0)
    found = {}
    for dag_id in workloads:
        count = WORKLOADS[dag_id]
        start = log.stat().st_size
        cluster.run(dag_id, f"{dag_id}_counted")
        with log.open("rb") as stream:
            stream.seek(start)
            text = stream.read().decode(errors="replace")
        lines = [line for line in text.splitlines() if "LOG:  " in line]
        found[dag_id] = round(
            sum(1 for line in lines if "statement:" in line or "execute " in line) / count, 1
        )
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("workloads", nargs="*", help=f"of {', '.join(WORKLOADS)}; none: all")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    chosen: list[str] = options.workloads or list(WORKLOADS)
    if unknown := set(chosen) - set(WORKLOADS):
        parser.error(f"there is no workload {', '.join(unknown)}")
    with contextlib.ExitStack() as stack:
        redis = stack.enter_context(running_redis())
        # Durable commits, as in production: what tests leave out for speed is put back.
        durable = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
        server = PostgresqlServer(durable)
        server.start()
        stack.callback(server.close)
        url = Databases(server.url).create()
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tw-bench-")))
        cluster = Cluster(home / "home", url, redis)
        stack.callback(cluster.close)
        if cluster.cli("db", "migrate"):
            raise SystemExit("the database cannot be made")
        cluster.start()
        load = os.getloadavg()[0]
        assert server.process is not None
        assert redis.process is not None
        result = measure(cluster, server.process.pid, redis.process.pid, options.runs, chosen)
        result["SQL statements per task instance"] = count_statements(
            cluster, server.log_path, chosen
        )
        result["bare fork, ms"] = round(bare_fork_ms(), 2)
        result["load average"] = [round(load, 1), round(os.getloadavg()[0], 1)]
    text = json.dumps(result, indent=2)
    print(text)
    if options.json:
        options.json.write_text(text)


if __name__ == "__main__":
    main()
