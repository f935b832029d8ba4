"""What stands at the head of the pages about a DAG or a run: facts and tabs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from flask import url_for

from .auth import may
from .services import services

if TYPE_CHECKING:
    from ..database.values import BriefRun, DagRow, RunRow

SUCCESS_WINDOW = timedelta(days=30)

#: Name of the tab, its word, its endpoint, and what a reader needs to see it.
DAG_TABS = (
    ("grid", "Grid", "dags.show", "read"),
    ("graph", "Graph", "graphs.of_dag", "read"),
    ("runs", "Runs", "dag.runs", "read"),
    ("tasks", "Tasks", "dag.tasks", "read"),
    ("durations", "Durations", "durations.of_dag", "read"),
    ("calendar", "Calendar", "dag.calendar", "read"),
    ("backfills", "Backfills", "backfills.index", "read"),
    ("code", "Code", "dag.code", "read"),
    ("events", "Events", "dag.events", "audit"),
    ("details", "Details", "dag.details", "read"),
)
RUN_TABS = (
    ("tasks", "Tasks", "runs.show", "read"),
    ("graph", "Graph", "graphs.of_run", "read"),
    ("gantt", "Gantt", "gantts.show", "read"),
    ("events", "Events", "runs.events", "audit"),
    ("code", "Code", "runs.code", "read"),
    ("details", "Details", "runs.details", "read"),
)


@dataclass(frozen=True, slots=True)
class DagHead:
    """Facts about a DAG, and its tabs as (name, word, address)."""

    dag: DagRow
    last_run: RunRow | None
    active_runs: int
    success_percent: float | None
    import_error: str | None
    tabs: Sequence[tuple[str, str, str]]


def dag_head(dag_id: str) -> DagHead:
    """Read the head of a DAG's pages.

    Raises:
        DagNotFound: there is no such DAG.
    """
    store = services().store
    dag = store.dags.get(dag_id)
    file = store.files.get(dag.relative_fileloc)
    recent = store.dags.last_runs([dag_id], per_dag=1)[dag_id]
    counts = store.history.run_states_since(services().now() - SUCCESS_WINDOW, dag_id)
    ended = counts.get("success", 0) + counts.get("failed", 0)
    active = store.dags.unfinished_counts([dag_id]).get(dag_id, {})
    return DagHead(
        dag=dag,
        last_run=recent[0] if recent else None,
        active_runs=active.get("running", 0),
        success_percent=100.0 * counts.get("success", 0) / ended if ended else None,
        import_error=file.error if file else None,
        tabs=[
            (name, word, url_for(endpoint, dag_id=dag_id))
            for name, word, endpoint, needed in DAG_TABS
            if may(needed)
        ],
    )


def run_tabs(dag_id: str, run_id: str) -> list[tuple[str, str, str]]:
    """Return the tabs of a run as (name, word, address)."""
    return [
        (name, word, url_for(endpoint, dag_id=dag_id, run_id=run_id))
        for name, word, endpoint, needed in RUN_TABS
        if may(needed)
    ]


def liveness(runs: Sequence[RunRow | BriefRun]) -> str:
    """Return how eagerly a page asks for news: "running" or "idle"."""
    return "running" if any(run.state in ("queued", "running") for run in runs) else "idle"
