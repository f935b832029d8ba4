"""Reading 500 files of ten tasks: wall and CPU until all are known, and what they cost at rest."""

from __future__ import annotations

import time

from deployment import Deployment

FILES = 500
TASKS = 10
REST_S = 10.0

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
        time.sleep(3)  # planning and the summaries end
        before_s = deployment.cpu_s()
        time.sleep(REST_S)
        idle_s = deployment.cpu_s() - before_s
    return {
        f"parse {FILES} files: wall s": wall_s,
        f"parse {FILES} files: CPU s": cpu_s,
        f"idle with {FILES} files, % of a core": idle_s / REST_S * 100,
    }
