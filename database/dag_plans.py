"""What the loop asks of DAGs: which are due, which have to be planned, and their next runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, bindparam, func, select, text, update

from ..sdk.states import RunType
from .tables import dag, dag_file, dag_run
from .tables.runs import UNFINISHED_RUN
from .values import DueDag

if TYPE_CHECKING:
    from ..planning.plan_runs import PlannedRun

ACTIVE_RUNS = (
    select(func.count())
    .select_from(dag_run)
    .where(
        text(f"dag_run.{UNFINISHED_RUN}"),
        dag_run.c.dag_id == dag.c.dag_id,
        dag_run.c.backfill_id.is_(None),
    )
    .scalar_subquery()
)

_DUE_COLUMNS = (
    dag.c.dag_id,
    dag.c.version_id,
    dag.c.is_paused,
    dag.c.is_custom_timetable,
    dag.c.next_logical_date,
    dag.c.next_data_interval_start,
    dag.c.next_data_interval_end,
    dag.c.next_run_after,
    dag.c.next_run_id,
    dag.c.max_active_runs,
    dag.c.is_first_plan,
    dag_file.c.relative_path,
)

DUE_BASE = select(*_DUE_COLUMNS, ACTIVE_RUNS.label("active_runs")).join(
    dag_file, dag_file.c.id == dag.c.file_id
)

DUE = (
    DUE_BASE.where(
        dag.c.next_run_after <= bindparam("now", type_=dag.c.next_run_after.type),
        dag.c.is_paused.is_(False),
        dag.c.is_active.is_(True),
        dag.c.max_active_runs > ACTIVE_RUNS,
    )
    .order_by(dag.c.next_run_after)
    .limit(bindparam("limit"))
)

UNPLANNED = (
    DUE_BASE.where(dag.c.needs_planning.is_(True), dag.c.is_active.is_(True))
    .order_by(dag.c.dag_id)
    .limit(bindparam("limit"))
)

ANY_UNPLANNED = (
    select(dag.c.dag_id).where(dag.c.needs_planning.is_(True), dag.c.is_active.is_(True)).limit(1)
)

NEXT_DUE = select(func.min(dag.c.next_run_after)).where(
    dag.c.next_run_after.is_not(None),
    dag.c.is_paused.is_(False),
    dag.c.is_active.is_(True),
    dag.c.max_active_runs > ACTIVE_RUNS,
)

_LAST_INTERVAL = (
    select(dag_run.c.data_interval_start, dag_run.c.data_interval_end)
    .where(
        dag_run.c.dag_id == bindparam("dag_id"),
        dag_run.c.logical_date.is_not(None),
        dag_run.c.run_type == RunType.SCHEDULED.value,
    )
    .order_by(dag_run.c.logical_date.desc())
    .limit(1)
)


def write_next_run(
    connection: Connection, dag_id: str, run: PlannedRun | None, *, is_final: bool = True
) -> None:
    """Set a DAG's next run inside the caller's transaction.

    Args:
        is_final: False: *run* None means "not known here" where the timetable is a user's class,
            because only the parser's child may ask it; the DAG then waits for its plan.
    """
    needs_planning: Any = False if is_final or run is not None else dag.c.is_custom_timetable
    connection.execute(
        update(dag)
        .where(dag.c.dag_id == dag_id)
        .values(
            next_logical_date=None if run is None else run.logical_date,
            next_data_interval_start=None if run is None else run.data_interval_start,
            next_data_interval_end=None if run is None else run.data_interval_end,
            next_run_after=None if run is None else run.run_after,
            next_run_id=None if run is None else run.run_id,
            needs_planning=needs_planning,
            is_first_plan=False,
        )
    )


def read_due(connection: Connection, row: Any) -> DueDag:
    """Make the plain value of a row of ``DUE``, ``UNPLANNED`` or ``DUE_BASE``."""
    last = connection.execute(_LAST_INTERVAL, {"dag_id": row.dag_id}).one_or_none()
    return DueDag(
        dag_id=row.dag_id,
        version_id=row.version_id,
        is_paused=row.is_paused,
        is_custom_timetable=row.is_custom_timetable,
        relative_fileloc=row.relative_path,
        next_logical_date=row.next_logical_date,
        next_data_interval_start=row.next_data_interval_start,
        next_data_interval_end=row.next_data_interval_end,
        next_run_after=row.next_run_after,
        next_run_id=row.next_run_id,
        last_interval_start=None if last is None else last.data_interval_start,
        last_interval_end=None if last is None else last.data_interval_end,
        active_runs=row.active_runs,
        max_active_runs=row.max_active_runs,
        is_first_plan=row.is_first_plan,
    )
