"""Starts queued dag runs under max_active_runs, counted from rows (semantics 4.9).

Runs of a backfill count against the backfill's own limit; a paused DAG does not stop them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, func, or_, select, text

from ..sdk.states import DagRunState
from . import state_writes
from .state_writes import RunMove
from .tables import backfill, dag, dag_run
from .tables.runs import UNFINISHED_RUN

#: Expressions, for which there is no index: few runs are queued, and they have one of their own.
#: By an index on the columns, SQLite would go through all runs that have ended.
RUN_AFTER: Any = func.coalesce(dag_run.c.run_after, dag_run.c.run_after)
_BACKFILL_OR_0 = func.coalesce(dag_run.c.backfill_id, 0)

_RUNNING = select(dag_run.c.dag_id, dag_run.c.backfill_id).where(
    text(f"dag_run.{UNFINISHED_RUN}"), dag_run.c.state == DagRunState.RUNNING.value
)

_QUEUED = (
    select(
        dag_run.c.id,
        dag_run.c.dag_id,
        dag_run.c.run_id,
        dag_run.c.backfill_id,
        dag.c.max_active_runs,
        backfill.c.max_active_runs.label("backfill_runs_max"),
    )
    .join(dag, dag.c.dag_id == dag_run.c.dag_id)
    .outerjoin(backfill, backfill.c.id == dag_run.c.backfill_id)
    .where(
        text(f"dag_run.{UNFINISHED_RUN}"),
        dag_run.c.state == DagRunState.QUEUED.value,
        bindparam("now", type_=dag_run.c.run_after.type) >= RUN_AFTER,
        or_(
            and_(_BACKFILL_OR_0 == 0, dag.c.is_paused.is_(False)),
            and_(_BACKFILL_OR_0 != 0, backfill.c.is_paused.is_(False)),
        ),
    )
    .order_by(
        dag_run.c.backfill_ordinal.asc().nulls_first(),
        dag_run.c.run_after,
        dag_run.c.id,
    )
)

_OF_DAGS = dag_run.c.dag_id.in_(bindparam("dag_ids", expanding=True))
_RUNNING_OF, _QUEUED_OF = _RUNNING.where(_OF_DAGS), _QUEUED.where(_OF_DAGS)


@dataclass(frozen=True, slots=True)
class StartedRun:
    """A run that has just begun."""

    id: int
    dag_id: str
    run_id: str


def start_runs(connection: Connection, startable: Sequence[Any], now: datetime) -> list[StartedRun]:
    """Move runs that were found startable, in this transaction, to running."""
    started: list[StartedRun] = []
    for row in startable:
        move = RunMove(
            row.id,
            DagRunState.QUEUED,
            DagRunState.RUNNING,
            "",
            {"started_at": now, "ended_at": None},
        )
        if state_writes.write_run_move(connection, move):
            started.append(StartedRun(row.id, row.dag_id, row.run_id))
    return started


def find_startable(
    connection: Connection, now: datetime, dag_ids: Collection[str] | None = None
) -> list[Any]:
    """Return the queued runs that may begin, oldest first, as far as limits allow. Reading only.

    Args:
        dag_ids: only these DAGs; None: all.
    """
    named = None if dag_ids is None else {"dag_ids": sorted(dag_ids)}
    running: Counter[tuple[str, int | None]] = Counter(
        (row.dag_id, row.backfill_id)
        for row in connection.execute(_RUNNING if named is None else _RUNNING_OF, named or {}).all()
    )
    startable = []
    queued = _QUEUED if named is None else _QUEUED_OF
    for row in connection.execute(queued, {"now": now, **(named or {})}).all():
        key = (row.dag_id, row.backfill_id)
        runs_max = row.max_active_runs if row.backfill_id is None else row.backfill_runs_max
        if running[key] < runs_max:
            running[key] += 1
            startable.append(row)
    return startable
