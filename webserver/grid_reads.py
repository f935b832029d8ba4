"""Reads what the grid of a DAG is made of, as the address asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import request

from ..sdk.states import DagRunState, RunType
from .grid import grid_payload
from .services import services

if TYPE_CHECKING:
    from ..database.values import RunRow

RUNS_DEFAULT, RUNS_MAX = 30, 365
#: The table of all states is for reading and search: as many runs as fit on a page.
TABLE_RUNS_MAX = 10


@dataclass(frozen=True, slots=True)
class GridFilters:
    """Which runs are shown. Empty text: all."""

    runs: int
    type: str
    state: str
    tasks: str


def read_filters() -> GridFilters:
    """Read the address; what makes no sense is left out."""
    runs = request.args.get("runs", RUNS_DEFAULT, type=int)
    kind, state = request.args.get("type", ""), request.args.get("state", "")
    is_table = request.args.get("view") == "table"
    return GridFilters(
        runs=min(max(1, runs), TABLE_RUNS_MAX if is_table else RUNS_MAX),
        type=kind if kind in set(RunType) else "",
        state=state if state in set(DagRunState) else "",
        tasks=request.args.get("tasks", ""),
    )


def read_grid(dag_id: str, filters: GridFilters) -> tuple[dict[str, Any], list[RunRow]]:
    """Return what is drawn, and its runs, oldest first.

    Raises:
        DagNotFound: there is no such DAG.
    """
    store = services().store
    dag = store.dags.serialized(dag_id)
    runs = store.runs.list(
        dag_id,
        run_types=(filters.type,) if filters.type else (),
        states=(filters.state,) if filters.state else (),
        limit=filters.runs,
    )[::-1]
    cells = store.history.cells([run.id for run in runs])
    return grid_payload(dag, runs, cells), runs
