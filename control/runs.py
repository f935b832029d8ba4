"""Dag runs: finding one by what a person typed, and listing them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ..database.errors import NotFound
from .input import InvalidInput, parse_instant

if TYPE_CHECKING:
    from ..database.values import RunRow, TaskInstanceRow
    from .services import Services

#: More runs than this are never listed at once.
LIST_LIMIT = 10_000


def find_run(services: Services, dag_id: str, named: str) -> RunRow | None:
    """Return the run with this run id, else the one with this logical date; None without one.

    Raises:
        DagNotFound: there is no such DAG.
    """
    services.store.dags.get(dag_id)
    run = services.store.runs.find(dag_id, named)
    if run is not None:
        return run
    try:
        logical_date = parse_instant(named)
    except InvalidInput:
        return None
    found = services.store.runs.list(
        dag_id, logical_from=logical_date, logical_to=logical_date, limit=1
    )
    return found[0] if found else None


def get_run(services: Services, dag_id: str, named: str) -> RunRow:
    """Return the run with this run id, else the one with this logical date.

    Raises:
        NotFound: there is none, or no such DAG.
    """
    run = find_run(services, dag_id, named)
    if run is None:
        raise NotFound(f"DAG {dag_id!r} has no run with run id or logical date {named!r}")
    return run


def list_runs(
    services: Services,
    dag_id: str,
    *,
    states: Sequence[str] = (),
    is_backfill_left_out: bool = False,
    logical_from: datetime | None = None,
    logical_to: datetime | None = None,
) -> Sequence[RunRow]:
    """Return the runs of one DAG, newest first.

    Raises:
        DagNotFound: there is no such DAG.
    """
    services.store.dags.get(dag_id)
    rows = services.store.runs.list(
        dag_id,
        states=tuple(states),
        logical_from=logical_from,
        logical_to=logical_to,
        limit=LIST_LIMIT,
    )
    return [row for row in rows if not (is_backfill_left_out and row.run_type == "backfill")]


def delete_instances(services: Services, rows: Sequence[TaskInstanceRow]) -> None:
    """Delete task instances with their tries and XComs.

    Raises:
        NotAllowed: a run of theirs has not ended.
    """
    services.store.task_instances.delete(rows, services.now(), services.actor)


def delete_run(services: Services, dag_id: str, run_id: str) -> None:
    """Delete a run with its task instances and XComs.

    Raises:
        DagRunNotFound: there is no such run.
        NotAllowed: it is running.
    """
    services.store.runs.delete(dag_id, run_id, services.now(), services.actor)
