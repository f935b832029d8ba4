"""Plain values of dag run rows, and the statement for the newest of each DAG."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select

from .tables import dag, dag_run
from .values import RunRow


def run_row(row: Any) -> RunRow:
    """Make the plain value of a row that has all columns of ``dag_run``."""
    return RunRow(
        id=row.id,
        dag_id=row.dag_id,
        run_id=row.run_id,
        run_type=row.run_type,
        state=row.state,
        state_reason=row.state_reason,
        logical_date=row.logical_date,
        data_interval_start=row.data_interval_start,
        data_interval_end=row.data_interval_end,
        run_after=row.run_after,
        queued_at=row.queued_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        conf=row.conf,
        triggered_by=row.triggered_by,
        triggering_user=row.triggering_user,
        note=row.note,
        external_trigger=row.external_trigger,
        version_id=row.version_id,
        clear_number=row.clear_number,
        backfill_id=row.backfill_id,
        created_at=row.created_at,
        last_decided_at=row.last_decided_at,
    )


def newest_runs(chosen: Select[Any], per_dag: int) -> Select[Any]:
    """Return a statement for all DAGs: the newest runs of each by index, then their columns."""
    newest = (
        select(dag_run.c.id)
        .where(dag_run.c.dag_id == dag.c.dag_id)
        .order_by(dag_run.c.run_after.desc(), dag_run.c.id.desc())
        .limit(per_dag)
        .correlate(dag)
    )
    return (
        chosen.select_from(dag)
        .join(dag_run, dag_run.c.id.in_(newest))
        .order_by(dag_run.c.dag_id, dag_run.c.run_after.desc(), dag_run.c.id.desc())
    )
