"""Time the REST API: lists of DAGs and task instances, over one server with one worker.

    python benchmarks/api.py                       # without history
    python benchmarks/api.py --history 1000000     # with so many task instances beside it

500 DAGs and a run of 200 task instances are inserted into a SQLite file at once; then a web
server is started on it and asked over one connection that stays open, as the clients do. The
floor is the same server's answer to a route that asks nothing of the database. Latencies are
what a client waits; CPU is what the server's processes used for a request. Targets and figures
stand in ``docs/performance.md``, section "API".
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import http.client
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
DAGS, TASKS = 500, 200
START_DEADLINE_S = 60.0
USER, PASSWORD = "bench", "a-password-of-bench"
TICKS = os.sysconf("SC_CLK_TCK")
#: What is asked → the p50 that is wanted, ms.
TARGETS = {"100 of 500 DAGs": 10.0, "100 of 200 task instances": 15.0}


def main() -> None:
    """Fill a database, start a server, ask, print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--history", type=int, default=0, help="task instances besides")
    parser.add_argument("--requests", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tradewind-benchmark-") as folder:
        os.environ["TRADEWIND_HOME"] = folder
        run_id = fill(options.history)
        rows = measure(Path(folder), run_id, options.requests)
    print(f"{'asked for':<38} {'p50 ms':>7} {'p95 ms':>7} {'CPU ms':>7} {'kB':>6}  target")
    for name, p50, p95, cpu, size in rows:
        target = next((f"{ms:g}" for part, ms in TARGETS.items() if part in name), "")
        print(f"{name:<38} {p50:7.2f} {p95:7.2f} {cpu:7.2f} {size / 1000:6.1f}  {target}")


def fill(history: int) -> str:
    """Insert everything; return the id of the run with many task instances."""
    from pages_data import _layers, _Writer
    from tradewind.database.migrate import create_missing_database
    from tradewind.database.store import open_store
    from tradewind.sdk.serialized import SerializedTask

    create_missing_database()
    store = open_store()
    store.users.create(
        username=USER, password=PASSWORD, roles=["Admin"], now=NOW, actor="user:bench"
    )
    writer = _Writer(store, NOW)
    for number in range(DAGS):
        writer.add_dag(f"list_{number:03}", [SerializedTask("only", "BashOperator")])
        if number < 100:
            writer.add_runs(f"list_{number:03}", 3, ["only"])
    writer.add_dag("wide", _layers(TASKS))
    run_id = writer.add_runs("wide", 10, [f"t{number}" for number in range(TASKS)])
    if history:
        writer.add_dag("history", _layers(100))
        writer.add_runs("history", history // 100, [f"t{number}" for number in range(100)])
    store.close()
    return run_id


def measure(home: Path, run_id: str, requests: int) -> list[tuple[str, float, float, float, int]]:
    """Return for each address: what was asked, p50 and p95 in ms, CPU in ms, bytes."""
    run = f"dags/wide/dagRuns/{quote(run_id, safe='')}"
    addresses = {"floor: a route without the database": "/api/v1/version"}
    for version in (1, 2):
        start = f"/api/v{version}"
        addresses[f"v{version} 100 of 500 DAGs"] = f"{start}/dags?limit=100"
        addresses[f"v{version} 100 of 200 task instances"] = (
            f"{start}/{run}/taskInstances?limit=100"
        )
        addresses[f"v{version} one run"] = f"{start}/{run}"
        addresses[f"v{version} 100 runs of all DAGs"] = f"{start}/dags/~/dagRuns?limit=100"
    addresses["v2 100 task instances of all, by cursor"] = (
        "/api/v2/dags/~/dagRuns/~/taskInstances?limit=100&cursor="
    )
    with serving(home) as (port, pid):
        return [(name, *ask(port, pid, path, requests)) for name, path in addresses.items()]


@contextlib.contextmanager
def serving(home: Path) -> Any:
    """Start a web server on the home; yield its port and its process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "TRADEWIND__API__PORT": str(port),
        "TRADEWIND__API__REQUEST_RATE_LIMIT": "",
    }
    command = [str(Path(sys.executable).parent / "tradewind"), "webserver"]
    server = subprocess.Popen(
        command, env=environment, cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
    )
    try:
        deadline = time.monotonic() + START_DEADLINE_S
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2).close()
                break
            except (urllib.error.URLError, OSError):
                if time.monotonic() > deadline or server.poll() is not None:
                    raise SystemExit("the server did not start") from None
                time.sleep(0.1)
        yield port, server.pid
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


def ask(port: int, pid: int, path: str, requests: int) -> tuple[float, float, float, int]:
    """Return p50 and p95 of the latency, CPU of the server for each request, ms, and bytes."""
    pair = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Authorization": f"Basic {pair}", "Accept": "application/json"}
    times: list[float] = []
    size = 0
    cpu_s = 0.0
    for number in range(requests + 10):
        if number == 10:  # the first ones warm the caches up
            cpu_s = cpu_of(pid)
        began = time.perf_counter()
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{path}: {answer.status} {body[:300]!r}")
        if number >= 10:
            times.append((time.perf_counter() - began) * 1000)
        size = len(body)
    used_ms = (cpu_of(pid) - cpu_s) * 1000 / requests
    connection.close()
    return statistics.median(times), statistics.quantiles(times, n=20)[18], used_ms, size


def cpu_of(pid: int) -> float:
    """Return the CPU seconds that a process and its children have used."""
    total = 0.0
    for one in (pid, *children(pid)):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            total += (int(fields[11]) + int(fields[12])) / TICKS
    return total


def children(pid: int) -> list[int]:
    """Return the processes below one."""
    found = []
    for folder in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            for child in (folder / "children").read_text().split():
                found += [int(child), *children(int(child))]
    return found


if __name__ == "__main__":
    main()
