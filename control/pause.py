"""Pause and un-pause: whether the schedule of a DAG makes runs, and whether its runs start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .input import compile_pattern
from .timetables import find_timetable

if TYPE_CHECKING:
    from ..database.values import DagRow
    from .services import Services


def matching_dags(services: Services, named: str, *, is_pattern: bool = False) -> Sequence[DagRow]:
    """Return the DAG with this id, or all in whose id this regular expression finds a match."""
    if not is_pattern:
        found = services.store.dags.find(named)
        return [found] if found is not None else []
    pattern = compile_pattern(named, "The DAG id")
    return [row for row in all_dags(services) if pattern.search(row.dag_id)]


def all_dags(services: Services, *, is_active: bool | None = True) -> list[DagRow]:
    """Return every DAG by id: those whose file is there, or all where *is_active* is None."""
    rows: list[DagRow] = []
    while True:
        page = services.store.dags.list(is_active=is_active, limit=500, offset=len(rows))
        rows += page
        if len(page) < 500:
            return rows


def set_paused(services: Services, dags: Sequence[DagRow], *, is_paused: bool) -> list[DagRow]:
    """Pause or un-pause; return those DAGs that were not so already, as they are now."""
    changed = []
    for row in dags:
        if services.store.dags.set_paused(row.dag_id, is_paused, services.now(), services.actor):
            changed.append(services.store.dags.get(row.dag_id))
    return changed


def count_catchup_runs(services: Services, dag_id: str) -> int:
    """Return how many runs un-pausing a DAG now makes at once; 1000 stands for that or more.

    Source: architecture, section 4: un-pausing shows how many runs catchup will create.
    """
    from ..planning.plan_runs import count_due_runs
    from ..sdk.timetables.base import DataInterval

    dag = services.store.dags.serialized(dag_id)
    timetable = find_timetable(dag)
    if timetable is None or not timetable.can_be_scheduled:
        return 0
    due = services.store.dags.planning_input(dag_id)
    last = None
    if due.last_interval_start is not None and due.last_interval_end is not None:
        last = DataInterval(due.last_interval_start, due.last_interval_end)
    count = count_due_runs(dag, timetable, last, services.now())
    # Without catchup each run begins where the clock stands: @continuous is always due again.
    return count if dag.catchup else min(count, 1)
