"""What a million finished task instances cost the loop: it should be nothing.

    python benchmarks/history.py                     # 1,000,000; chain and wide, before and after
    python benchmarks/history.py --rows 200000 --runs 3

The same server, the same DAGs; between the two measurements history is inserted in bulk, as runs
of the very DAG that is measured. Compared are CPU time per task instance, the statements of one
sweep of the scheduler, and the plans that SQLite makes for them.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
from collections.abc import Iterator
from typing import Any

from deployment import Deployment
from run import CHAIN, CHAIN_LENGTH, HEAD, WIDE, WIDTH

Figures = dict[str, float]


def measure(deployment: Deployment, runs: int) -> Figures:
    """Start the server, run both DAGs a few times, and stop it; return medians."""
    deployment.start()
    taken: dict[str, list[float]] = {}
    for dag_id, count in (("chain", CHAIN_LENGTH), ("wide", WIDTH)):
        deployment.wait_for_dag(dag_id)
        deployment.run_to_end(dag_id)  # warm: hosts are up
        for _ in range(runs):
            # From before the command: a chain may be half done when it returns.
            before_s = deployment.cpu_s()
            instances, _ = deployment.run_to_end(dag_id)
            cpu_s = deployment.cpu_s() - before_s
            wall_s = max(r["ended_at"] for r in instances) - min(r["started_at"] for r in instances)
            taken.setdefault(f"{dag_id}: CPU ms a task", []).append(cpu_s * 1000 / count)
            taken.setdefault(f"{dag_id}: wall ms a task", []).append(wall_s * 1000 / count)
    deployment.stop()
    return {name: statistics.median(values) for name, values in taken.items()}


@contextlib.contextmanager
def opened(deployment: Deployment) -> Iterator[Any]:
    """Give the store of a home whose server is stopped."""
    from tradewind.database.store import open_store

    os.environ.update(deployment.environment)
    store = open_store()
    try:
        yield store
    finally:
        store.close()


def sweep(deployment: Deployment) -> list[tuple[str, str]]:
    """Return (statement, plan) of one sweep of the scheduler that finds nothing to do."""
    from sqlalchemy import event
    from tradewind.scheduler.scheduler_main import make_scheduler

    seen: list[tuple[str, Any]] = []
    with opened(deployment) as store:
        scheduler = make_scheduler(store, store.clock, {})
        scheduler.tick()  # what it does once, at its start

        def note(
            _connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any
        ) -> None:
            seen.append((statement, parameters))

        scheduler = make_scheduler(store, store.clock, {})
        event.listen(store.database.engine, "before_cursor_execute", note)
        scheduler.tick()
        scheduler.wait_s()
        event.remove(store.database.engine, "before_cursor_execute", note)
        with store.database.read() as connection:
            return [
                (statement, plan_of(connection, statement, parameters))
                for statement, parameters in seen
                if statement.split()[0] in ("SELECT", "UPDATE", "DELETE")
            ]


def plan_of(connection: Any, statement: str, parameters: Any) -> str:
    """Return SQLite's plan in one line."""
    rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
    return "; ".join(row.detail for row in rows)


def fill(deployment: Deployment, rows: int) -> None:
    """Insert finished runs of the chain, oldest first."""
    from pages_data import _Writer

    with opened(deployment) as store:
        writer = _Writer(store, store.clock.now())
        writer.run_number = deployment.query("select max(id) n from dag_run")[0]["n"]
        writer.instance_number = deployment.query("select max(id) n from task_instance")[0]["n"]
        writer.versions["chain"] = store.dags.get("chain").version_id
        writer.add_runs("chain", rows // CHAIN_LENGTH, [f"t{n}" for n in range(CHAIN_LENGTH)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    with Deployment({"chain.py": HEAD + CHAIN, "wide.py": HEAD + WIDE}) as deployment:
        without = measure(deployment, arguments.runs)
        plans_without = sweep(deployment)
        fill(deployment, arguments.rows)
        plans_with = sweep(deployment)
        within = measure(deployment, arguments.runs)
    print(f"{'figure':28} {'empty':>9} {arguments.rows:>9,} {'ratio':>7}")
    for name, value in without.items():
        print(f"{name:28} {value:9.2f} {within[name]:9.2f} {within[name] / value:7.2f}")
    print(f"statements of one idle sweep: {len(plans_without)}, then {len(plans_with)}")
    changed = set(plans_without) ^ set(plans_with)
    print(f"plans that changed: {len(changed)}")
    for statement, plan in sorted(changed):
        print(f"  {plan}\n    {' '.join(statement.split())[:160]}")


if __name__ == "__main__":
    main()
