"""Measure Tradewind as a user meets it: the installed command, a real home, real processes.

    python benchmarks/run.py                      # every workload, five runs each
    python benchmarks/run.py chain wide --runs 3  # some of them
    python benchmarks/run.py --json results.json
    python benchmarks/run.py chain wide --database postgresql

Prints a table of medians, and beside them the floors that were taken in the same run: a bare
fork, exit and wait of a process that has imported what a task host has, and a durable commit
on the same disk. ``x fork`` and ``x commit`` tell how many of them a figure's time is; of a rate,
the time of one. The machine may be busy: judge by ratios and by CPU time.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import api
from deployment import Deployment
from floors import bare_commit_ms, bare_fork_ms
from parsing import parse

if TYPE_CHECKING:
    from postgresql import CountingServer

BIN = Path(sys.executable).parent

CHAIN_LENGTH = 20
WIDTH = 200
BACKFILL_DAYS = 100

HEAD = """
from datetime import datetime
from airflow.sdk import DAG, task

@task
def f(i):
    return i
"""
CHAIN = f"""
with DAG("chain", start_date=datetime(2025, 1, 1), schedule=None, is_paused_upon_creation=False):
    previous = None
    for i in range({CHAIN_LENGTH}):
        current = f.override(task_id=f"t{{i}}")(i)
        if previous is not None:
            previous >> current
        previous = current
"""
WIDE = f"""
with DAG("wide", start_date=datetime(2025, 1, 1), schedule=None, max_active_tasks=512,
         is_paused_upon_creation=False):
    for i in range({WIDTH}):
        f.override(task_id=f"t{{i}}")(i)
"""
DAILY = """
with DAG("daily", start_date=datetime(2025, 1, 1), schedule="@daily", max_active_tasks=512,
         is_paused_upon_creation=True):
    f.override(task_id="a")(1) >> f.override(task_id="b")(2) >> f.override(task_id="c")(3)
"""
ONCE = """
with DAG("once", start_date=datetime(2025, 1, 1), schedule="@once", is_paused_upon_creation=False):
    f(1)
"""
XCOM = """
from datetime import datetime
from airflow.sdk import DAG, task

@task
def push():
    return "x" * {size}

@task
def pull(value):
    assert len(value) == {size}

with DAG("{dag_id}", start_date=datetime(2025, 1, 1), schedule=None, is_paused_upon_creation=False):
    pull(push())
"""
PROGRAM = f"""
with DAG("program", start_date=datetime(2025, 1, 1), schedule=None) as dag:
    for i in range({WIDTH}):
        f.override(task_id=f"t{{i}}")(i)

if __name__ == "__main__":
    dag.test()
"""

Figures = dict[str, float]

HEADS = ("median", "best", "worst", "n", "x fork", "x commit")


def chain(deployment: Deployment) -> Figures:
    """Run a chain of 20 tasks on a server that is up; a hop is from one start to the next."""
    instances, cpu_s = deployment.run_to_end("chain")
    ordered = sorted(instances, key=lambda row: row["started_at"])
    starts = [
        (after["started_at"] - before["started_at"]) * 1000
        for before, after in itertools.pairwise(ordered)
    ]
    return {
        "chain: start to next start, ms": statistics.median(starts),
        "chain: CPU ms a task": cpu_s * 1000 / CHAIN_LENGTH,
    }


def wide(deployment: Deployment, dag_id: str = "wide") -> Figures:
    """Run 200 independent tasks on a server that is up."""
    instances, cpu_s = deployment.run_to_end(dag_id)
    wall_s = max(r["ended_at"] for r in instances) - min(r["started_at"] for r in instances)
    return {
        "wide: task instances/s": len(instances) / wall_s,
        "wide: CPU ms a task": cpu_s * 1000 / WIDTH,
    }


def wide_8() -> Figures:
    """Run 200 independent tasks, eight at a time."""
    settings = {"TRADEWIND__CORE__PARALLELISM": "8"}
    with Deployment({"wide.py": HEAD + WIDE}, settings=settings) as deployment:
        deployment.start()
        deployment.wait_for_dag("wide")
        deployment.run_to_end("wide")  # warm: the host is up
        figures = wide(deployment)
    return {name.replace("wide", "wide, 8 at a time"): value for name, value in figures.items()}


def memory() -> Figures:
    """Add up the memory of all processes: before the first task, at work, and at rest again."""
    files = {"chain.py": HEAD + CHAIN, "wide.py": HEAD + WIDE}
    with Deployment(files, settings={"TRADEWIND__EXECUTION__HOST_IDLE_S": "20"}) as deployment:
        deployment.start()
        deployment.wait_for_dag("wide")
        time.sleep(35)  # the parser's zygote has gone
        before_mb = deployment.pss_mb()
        deployment.run_to_end("chain")
        peak_mb = peak_memory(deployment, "wide")
        time.sleep(7)  # the spare has gone
        hosts_mb = deployment.pss_mb()
        time.sleep(45)  # the hosts have gone, and then their zygote
        return {
            "memory idle before the first task, PSS MB": before_mb,
            "memory peak with 200 tasks, PSS MB": peak_mb,
            "memory idle with two task hosts, PSS MB": hosts_mb,
            "memory idle when hosts have gone, PSS MB": deployment.pss_mb(),
        }


def new_file(deployment: Deployment) -> Figures:
    """Time from writing an un-paused file to the end of its first task, server up."""
    name = f"new_{time.monotonic_ns()}"
    written_at = time.time()
    deployment.write_dag(f"{name}.py", HEAD + ONCE.replace('"once"', f'"{name}"'))
    instances = deployment.wait_for_end(name)
    return {"new file to first task's end, s": instances[0]["ended_at"] - written_at}


def large_xcom(deployment: Deployment) -> Figures:
    """Hand 1 MB from one task to the next, beside a number between the same tasks."""
    taken = {}
    for dag_id in ("small", "large"):
        instances, _ = deployment.run_to_end(dag_id)
        first, last = sorted(instances, key=lambda row: row["started_at"])
        taken[dag_id] = (last["ended_at"] - first["started_at"]) * 1000
    return {
        "two tasks with a number between them, ms": taken["small"],
        "two tasks with 1 MB between them, ms": taken["large"],
    }


def peak_memory(deployment: Deployment, dag_id: str) -> float:
    """Look at the memory of all processes again and again while 200 tasks run."""
    run_id = f"peak_{time.monotonic_ns()}"
    deployment.command("dags", "trigger", dag_id, "--run-id", run_id)
    most_mb = 0.0

    def has_ended() -> bool:
        nonlocal most_mb
        most_mb = max(most_mb, deployment.pss_mb())
        return all(row["state"] == "success" for row in deployment.instances(dag_id, run_id))

    deployment.wait_until(has_ended, f"the end of {dag_id}")
    return most_mb


def cold_start() -> Figures:
    """Time from starting the command in an empty home to the end of the first task."""
    with Deployment({"once.py": HEAD + ONCE}) as deployment:
        started_at = time.time()
        deployment.start()
        instances = deployment.wait_for_end("once")
        return {"empty home to first task's end, s": instances[0]["ended_at"] - started_at}


def backfill() -> Figures:
    """Backfill 100 days of three tasks with no server running."""
    with Deployment({"daily.py": HEAD + DAILY}) as deployment:
        deployment.command("backfill", "create", "--dag-id", "daily", "--from-date", "2025-01-01",
                           "--to-date", "2025-04-10", "--max-active-runs", "16")  # fmt: skip
        instances = deployment.instances("daily")
        wall_s = max(r["ended_at"] for r in instances) - min(r["started_at"] for r in instances)
        count = 3 * BACKFILL_DAYS
        if len(instances) != count:
            raise SystemExit(f"the backfill made {len(instances)} task instances, not {count}")
        return {"backfill: task instances/s": count / wall_s}


def pandas() -> Figures:
    """200 independent tasks of one file that imports pandas, on a server of its own."""
    text = HEAD + "import pandas\n" + WIDE.replace('"wide"', '"frames"')
    with Deployment({"frames.py": text}) as deployment:
        deployment.start()
        deployment.wait_for_dag("frames")
        deployment.run_to_end("frames")  # warm: the host is up
        time.sleep(35)  # the parser's zygote has gone
        figures = wide(deployment, "frames")
        figures["memory peak with 200 tasks, PSS MB"] = peak_memory(deployment, "frames")
        time.sleep(7)  # the spare has gone
        figures["memory idle with its task host, PSS MB"] = deployment.pss_mb()
    return {f"pandas, {name}": value for name, value in figures.items()}


def program() -> Figures:
    """``python my_dag.py`` with 200 tasks, the whole process."""
    with Deployment({"program.py": HEAD + PROGRAM}) as deployment:
        wall_s, _ = timed([sys.executable, deployment.dags_folder / "program.py"], deployment)
        return {"python my_dag.py, 200 tasks, s": wall_s}


def imports() -> Figures:
    """CPU of declaring a DAG, and of ``tradewind --help``, bytecode present."""
    with Deployment({"once.py": HEAD + ONCE}) as deployment:
        _, declare_s = timed([sys.executable, deployment.dags_folder / "once.py"], deployment)
        _, help_s = timed([BIN / "tradewind", "--help"], deployment)
    return {"declare a DAG, CPU ms": declare_s * 1000, "--help, CPU ms": help_s * 1000}


def lists() -> Figures:
    """Ask the REST API for a list of DAGs and one of task instances, as ``api.py`` does."""
    with tempfile.TemporaryDirectory(prefix="tradewind-benchmark-") as folder:
        os.environ["TRADEWIND_HOME"] = folder
        rows = api.measure(Path(folder), api.fill(history=0), requests=100)
    return {
        f"list: {name}, p50 ms": p50
        for name, p50, *_ in rows
        if name.startswith("floor") or any(part in name for part in api.TARGETS)
    }


def timed(command: list[Any], deployment: Deployment) -> tuple[float, float]:
    """Return wall and CPU seconds of one command, after a run that leaves bytecode behind."""
    for _ in range(2):
        before = os.times()
        started = time.perf_counter()
        subprocess.run(command, env=deployment.environment, check=True, stdout=subprocess.DEVNULL)
        wall_s = time.perf_counter() - started
        after = os.times()
    cpu_s = (
        after.children_user - before.children_user + after.children_system - before.children_system
    )
    return wall_s, cpu_s


#: Workloads on one server that stays up, and those that start their own.
ON_A_SERVER: dict[str, Callable[[Deployment], Figures]] = {
    "chain": chain,
    "wide": wide,
    "new_file": new_file,
    "large_xcom": large_xcom,
}
ALONE: dict[str, Callable[[], Figures]] = {
    "wide_8": wide_8,
    "memory": memory,
    "cold_start": cold_start,
    "backfill": backfill,
    "pandas": pandas,
    "program": program,
    "imports": imports,
    "parse": parse,
    "lists": lists,
}


def measure(names: list[str], runs: int) -> dict[str, list[float]]:
    """Take *runs* values of each figure, floors before and after each round."""
    values: dict[str, list[float]] = {}

    def add(figures: Figures) -> None:
        for name, value in figures.items():
            values.setdefault(name, []).append(value)

    def add_floors() -> None:
        add({"floor: bare fork, ms": bare_fork_ms(), "floor: bare commit, ms": bare_commit_ms()})

    wanted = [name for name in ON_A_SERVER if name in names]
    if wanted:
        files = {"chain.py": HEAD + CHAIN, "wide.py": HEAD + WIDE}
        for dag_id, size in (("small", 1), ("large", 1_000_000)):
            if "large_xcom" in wanted:
                files[f"{dag_id}.py"] = XCOM.format(dag_id=dag_id, size=size)
        with Deployment(files) as deployment:
            deployment.start()
            for dag_id in (name.removesuffix(".py") for name in files):
                deployment.wait_for_dag(dag_id)
                deployment.run_to_end(dag_id)  # warm: hosts are up
            for _ in range(runs):
                add_floors()
                for name in wanted:
                    add(ON_A_SERVER[name](deployment))
    for name in (name for name in ALONE if name in names):
        for _ in range(runs):
            add_floors()
            add(ALONE[name]())
    return values


def count_statements(server: CountingServer) -> dict[str, list[float]]:
    """Count what one task instance costs in statements; in runs that nobody times."""
    values = {}
    files = {"chain.py": HEAD + CHAIN, "wide.py": HEAD + WIDE}
    with Deployment(files) as deployment:
        deployment.start()
        for dag_id in ("chain", "wide"):
            deployment.wait_for_dag(dag_id)
            deployment.run_to_end(dag_id)
        for dag_id, count in (("chain", CHAIN_LENGTH), ("wide", WIDTH)):
            server.count_from_now()
            began_s = time.monotonic()
            deployment.run_to_end(dag_id)
            took_s, total = time.monotonic() - began_s, server.counted()
            server.count_from_now()
            time.sleep(took_s)  # what an idle house, and our own looking, would have sent anyway
            idle = server.counted()
            values[f"{dag_id}: SQL statements a task"] = [(total - idle) / count]
    return values


def show(values: dict[str, list[float]]) -> None:
    """Print medians with the best and worst value."""
    load = os.getloadavg()[0]
    print(f"load average {load:.1f}, {os.cpu_count()} cores, Python {sys.version.split()[0]}")
    fork_ms = statistics.median(values["floor: bare fork, ms"])
    commit_ms = statistics.median(values["floor: bare commit, ms"])
    heads = "".join(
        f" {head:>9}" for head in ("median", "best", "worst", "n", "x fork", "x commit")
    )
    print(f"{'figure':46}{heads}")
    for name, taken in values.items():
        low, high = min(taken), max(taken)
        best, worst = (high, low) if name.endswith("/s") else (low, high)
        median = statistics.median(taken)
        line = f"{name:46} {median:9.2f} {best:9.2f} {worst:9.2f} {len(taken):9}"
        median_ms = in_ms(name, median)
        if median_ms is not None:
            line += f" {median_ms / fork_ms:9.2f} {median_ms / commit_ms:9.2f}"
        print(line)


def in_ms(name: str, value: float) -> float | None:
    """Return the wall time of which a figure speaks, None if it speaks of something else."""
    if name.endswith("/s"):
        return 1000 / value
    if name.endswith(", ms"):
        return value
    return value * 1000 if name.endswith(", s") else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workloads", nargs="*", default=[*ON_A_SERVER, *ALONE])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--json", type=Path, help="write every value here, too")
    arguments = parser.parse_args()
    if arguments.database == "postgresql":
        from postgresql import postgresql_for_deployments

        with postgresql_for_deployments() as server:
            values = measure(arguments.workloads, arguments.runs)
            values |= count_statements(server)
    else:
        values = measure(arguments.workloads, arguments.runs)
    show(values)
    if arguments.json:
        arguments.json.write_text(json.dumps(values, indent=1))


if __name__ == "__main__":
    main()
