"""Reads what the grid of a DAG is made of, as the address asks for it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flask import Flask, current_app, request

from ..database.caller import caller
from ..sdk.states import DagRunState, RunType
from .grid import Column, grid_payload
from .services import services

if TYPE_CHECKING:
    from ..database.store import Store
    from ..database.values import RunRow

RUNS_DEFAULT, RUNS_MAX = 30, 365
#: The table of all states is for reading and search: as many runs as fit on a page.
TABLE_RUNS_MAX = 10
#: Columns of finished runs that a process keeps: 2,000 of 200 tasks are some 30 MB at most.
COLUMNS_KEPT = 2000
#: More changes than these at once: everything is read anew.
CHANGES_MAX = 2000


def init_app(app: Flask) -> None:
    """Make this process's columns."""
    app.extensions["grid_columns"] = ColumnCache()


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
    return grid_payload(dag, runs, read_columns(runs)), runs


def read_columns(runs: Sequence[RunRow]) -> dict[int, Column]:
    """Return run → column; those of finished runs are kept until something changes them."""
    kept: ColumnCache = current_app.extensions["grid_columns"]
    kept.forget_changed(services().store)
    found: dict[int, Column] = {}
    missing = []
    for run in runs:
        column = kept.get((run.dag_id, run.run_id, run.id))
        if column is None:
            missing.append(run)
        else:
            found[run.id] = column
    cells = services().store.history.cells([run.id for run in missing])
    for run in missing:
        found[run.id] = Column(cells[run.id])
        if run.ended_at is not None:
            kept.put((run.dag_id, run.run_id, run.id), found[run.id])
    return found


#: DAG, run id, number of the run.
Key = tuple[str, str, int]
#: An entry of the event log: its number, and when it was made.
Seen = tuple[int, datetime | None]
NOTHING_SEEN: Seen = (0, None)


class ColumnCache:
    """Packed columns of the runs that were asked for last. Safe for threads.

    Whatever changes a run stands in the event log: what it names is forgotten.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str], tuple[Key, Column]] = OrderedDict()
        self._seen: Seen | None = None

    def forget_changed(self, store: Store) -> None:
        """Forget the runs that changed since this was asked last."""
        # In nobody's name: the log as one reader sees it may leave changes out.
        changed, seen = copy_context().run(_changes, store, self._seen)
        with self._lock:
            if changed is None:
                self._kept.clear()
            else:
                for place in changed:
                    self._kept.pop(place, None)
            self._seen = seen

    def get(self, key: Key) -> Column | None:
        """Return a column, and keep it for longer."""
        with self._lock:
            found = self._kept.get(key[:2])
            if found is None or found[0] != key:
                return None
            self._kept.move_to_end(key[:2])
            return found[1]

    def put(self, key: Key, column: Column) -> None:
        """Keep a column; of too many the one that was not asked for the longest goes."""
        with self._lock:
            self._kept[key[:2]] = key, column
            while len(self._kept) > COLUMNS_KEPT:
                self._kept.popitem(last=False)


def _changes(store: Store, seen: Seen | None) -> tuple[set[tuple[str, str]] | None, Seen]:
    """Return the runs that changed since *seen* (None: that cannot be told), and the newest entry.

    The entry that was seen last is read again: where it is another one by now, or gone, an older
    state of the database was put back, and what is kept may never have happened.
    """
    caller.set(None)
    if seen is None:
        return None, _newest(store)
    rows = store.events.since(seen[0] - 1, limit=CHANGES_MAX)
    is_same = (rows[0].id, rows[0].at) == seen if rows else seen == NOTHING_SEEN
    if not is_same or len(rows) >= CHANGES_MAX:
        return None, _newest(store)
    newest = (rows[-1].id, rows[-1].at) if rows else NOTHING_SEEN
    new = rows[1:]
    if any(row.dag_id is not None and row.run_id is None for row in new):
        return None, newest  # an act on a whole DAG: deleted, cleared, backfilled
    return {(row.dag_id, row.run_id) for row in new if row.dag_id and row.run_id}, newest


def _newest(store: Store) -> Seen:
    rows = store.events.list(limit=1, with_state_changes=True)
    return (rows[0].id, rows[0].at) if rows else NOTHING_SEEN
