"""Reading 500 files of ten tasks: wall and CPU until all are known, and what they cost at rest."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from deployment import Deployment

FILES = 500
TASKS = 10
REST_S = 20.0

_FILE = """
from datetime import datetime
from airflow.sdk import DAG, task

@task
def f(i):
    return i

with DAG("{dag_id}", start_date=datetime(2025, 1, 1), schedule=None, catchup=False):
    previous = None
    for i in range({tasks}):
        current = f.override(task_id=f"t{{i}}")(i)
        if previous is not None:
            previous >> current
        previous = current
"""


def parse() -> dict[str, float]:
    """Start a server on 500 files; nothing of them is known yet."""
    files = {
        f"parsed_{number}.py": _FILE.format(dag_id=f"parsed_{number}", tasks=TASKS)
        for number in range(FILES)
    }
    with Deployment({}) as empty:
        empty.start()
        empty.wait_until(lambda: empty.query("select 1 from worker"), "the runner")
        start_s = empty.cpu_s()  # of a server that has nothing to read
        empty_idle = _at_rest(empty)
    with Deployment(files) as deployment:
        deployment.start()
        deployment.wait_until(lambda: deployment.query("select 1 from worker"), "the runner")
        started_at = time.monotonic()
        deployment.wait_until(
            lambda: deployment.query("select count(*) n from dag")[0]["n"] == FILES,
            f"{FILES} DAGs",
        )
        wall_s = time.monotonic() - started_at
        cpu_s = deployment.cpu_s() - start_s
        idle = _at_rest(deployment)
    return {
        f"parse {FILES} files: wall s": wall_s,
        f"parse {FILES} files: CPU s": cpu_s,
        f"idle with {FILES} files, % of a core": idle,
        "idle without files, % of a core": empty_idle,
    }


def _at_rest(deployment: Deployment) -> float:
    """Return the CPU of all processes while nothing happens, in percent of a core."""
    time.sleep(5)  # planning and the summaries end; the triggerer begins
    before_s, began_s = _busy_s(deployment), time.monotonic()
    time.sleep(REST_S)
    return (_busy_s(deployment) - before_s) / (time.monotonic() - began_s) * 100


def _busy_s(deployment: Deployment) -> float:
    """Return CPU seconds of all threads of a home: in nanoseconds, and not in ticks of 10 ms."""
    total_ns = 0
    for pid in deployment.pids():
        for thread in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            with contextlib.suppress(OSError):
                total_ns += int(thread.read_text().split()[0])
    return total_ns / 1e9
