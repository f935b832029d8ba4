"""Removes old history on request, in batches, and keeps what it removed aside.

What belongs to a dag run goes by its run: finished, due before an instant, and not the newest
scheduled one of its DAG, from which the next is planned. Nothing unfinished is ever touched.
Source: ``spec/cli.md`` section 5, ``db clean``.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    MetaData,
    Select,
    Table,
    delete,
    func,
    insert,
    inspect,
    or_,
    select,
)

from ..sdk.states import DagRunState, RunType
from .event_writes import Event, write_events
from .operations import Operations
from .tables import (
    asset_event,
    asset_queue,
    attempt,
    dag_run,
    event,
    login_session,
    outbox,
    process,
    rendered_fields,
    task_instance,
    worker,
    xcom,
)

ARCHIVE_PREFIX = "_airflow_deleted__"
BATCH_DEFAULT = 1000

#: Tables that belong to dag runs, children first: what a deleted row would take along is kept.
_OF_RUNS: Mapping[str, Table] = {
    "rendered_fields": rendered_fields,
    "attempt": attempt,
    "xcom": xcom,
    "task_instance": task_instance,
    "dag_run": dag_run,
}

#: Tables that stand alone: the instant by which a row is old, its id, and what must also hold.
_ALONE: Mapping[str, tuple[Table, Column[Any], Column[Any], Sequence[ColumnElement[bool]]]] = {
    "event": (event, event.c.at, event.c.id, ()),
    "asset_event": (
        asset_event,
        asset_event.c.at,
        asset_event.c.id,
        (asset_event.c.id.not_in(select(asset_queue.c.event_id)),),  # somebody still waits for it
    ),
    "outbox": (outbox, outbox.c.created_at, outbox.c.id, (outbox.c.state != "waiting",)),
    "worker": (worker, worker.c.renewed_at, worker.c.id, (worker.c.state != "alive",)),
    "process": (process, process.c.beat_at, process.c.id, ()),
    "login_session": (login_session, login_session.c.seen_at, login_session.c.id, ()),
}

#: Airflow's names of tables → ours.
ALIASES = {
    "log": "event",
    "rendered_task_instance_fields": "rendered_fields",
    "task_instance_history": "attempt",
    "callback_request": "outbox",
    "job": "process",
    "session": "login_session",
    "dataset_event": "asset_event",
}
TABLES = (*_OF_RUNS, *_ALONE)


@dataclass(frozen=True, slots=True)
class CleanRequest:
    """What is to go. ``dag_ids`` empty: of all DAGs."""

    before: datetime
    tables: Sequence[str] = TABLES
    dag_ids: Collection[str] = ()
    excluded_dag_ids: Collection[str] = ()
    is_archived: bool = True
    batch_size: int = BATCH_DEFAULT


@dataclass(slots=True)
class Cleaned:
    """How many rows of each table went, and where they are kept."""

    rows: dict[str, int] = field(default_factory=dict)
    archives: dict[str, str] = field(default_factory=dict)


class CleanOperations(Operations):
    """``store.clean``: each batch is one transaction, so that others get their turn."""

    def count(self, request: CleanRequest) -> dict[str, int]:
        """Return how many rows of each table would go."""
        found: dict[str, int] = {}
        with self._database.read() as connection:
            for name in request.tables:
                if name in _OF_RUNS:
                    where = _belongs_to(name, _old_runs(request))
                    statement = select(func.count()).select_from(_OF_RUNS[name]).where(where)
                else:
                    table, _, id_column, _ = _ALONE[name]
                    old = _old_rows(name, request)
                    statement = select(func.count()).select_from(table).where(id_column.in_(old))
                found[name] = int(connection.execute(statement).scalar_one())
        return found

    def remove(self, request: CleanRequest, now: datetime, actor: str) -> Cleaned:
        """Remove it, batch by batch; what went stays gone where a later batch fails."""
        cleaned = Cleaned()
        stamp = now.strftime("%Y%m%d%H%M%S")
        if request.is_archived:
            cleaned.archives = {name: f"{ARCHIVE_PREFIX}{name}__{stamp}" for name in request.tables}
        of_runs = [name for name in _OF_RUNS if name in request.tables]
        last_id = 0
        while of_runs:
            with self._database.write() as connection:
                ids = self._next_runs(connection, request, last_id)
                for name in of_runs if ids else ():
                    self._remove_of_runs(connection, name, ids, cleaned)
            if not ids:
                break
            last_id = ids[-1]
        for name in request.tables:
            while name in _ALONE:
                with self._database.write() as connection:
                    if not self._remove_alone(connection, name, request, cleaned):
                        break
        for name in request.tables:
            if not cleaned.rows.get(name):
                cleaned.archives.pop(name, None)
        with self._database.write() as connection:
            detail = {"rows": dict(cleaned.rows), "before": request.before.isoformat()}
            write_events(connection, [Event("db.cleaned", actor, detail=detail)], now)
        return cleaned

    def archives(self) -> list[str]:
        """Return the tables that keep what was removed, by name."""
        with self._database.read() as connection:
            names = inspect(connection).get_table_names()
        return sorted(name for name in names if name.startswith(ARCHIVE_PREFIX))

    def export_archive(self, name: str, folder: Path) -> Path:
        """Write one of ``archives`` as CSV with a header; return the file.

        Raises:
            OSError: the file cannot be written.
        """
        path = folder / f"{name}.csv"
        with self._database.read() as connection, path.open("w", newline="") as file:
            archive = Table(name, MetaData(), autoload_with=connection)
            result = connection.execute(select(archive))
            writer = csv.writer(file)
            writer.writerow(result.keys())
            writer.writerows(result)
        return path

    def drop_archive(self, name: str) -> None:
        """Remove one of ``archives`` for good."""
        with self._database.write() as connection:
            Table(name, MetaData()).drop(connection)

    def _next_runs(
        self, connection: Connection, request: CleanRequest, last_id: int
    ) -> Sequence[int]:
        statement = _old_runs(request).where(dag_run.c.id > last_id).order_by(dag_run.c.id)
        return [row[0] for row in connection.execute(statement.limit(request.batch_size))]

    def _remove_of_runs(
        self, connection: Connection, name: str, ids: Sequence[int], cleaned: Cleaned
    ) -> None:
        table = _OF_RUNS[name]
        for start in range(0, len(ids), 500):
            where = _belongs_to(name, ids[start : start + 500])
            self._archive(connection, table, where, cleaned.archives.get(name))
            gone = connection.execute(delete(table).where(where)).rowcount
            cleaned.rows[name] = cleaned.rows.get(name, 0) + gone

    def _remove_alone(
        self, connection: Connection, name: str, request: CleanRequest, cleaned: Cleaned
    ) -> bool:
        table, _, id_column, _ = _ALONE[name]
        ids = connection.execute(_old_rows(name, request).limit(min(request.batch_size, 500)))
        where = id_column.in_(list(ids.scalars()))
        self._archive(connection, table, where, cleaned.archives.get(name))
        gone = connection.execute(delete(table).where(where)).rowcount
        cleaned.rows[name] = cleaned.rows.get(name, 0) + gone
        return gone > 0

    def _archive(
        self,
        connection: Connection,
        table: Table,
        where: ColumnElement[bool],
        archive: str | None,
    ) -> None:
        if archive is None:
            return
        rows = select(table).where(where)
        if connection.execute(rows.limit(1)).first() is None:
            return
        kept = Table(archive, MetaData(), *(Column(column.name, column.type) for column in table.c))
        kept.create(connection, checkfirst=True)
        connection.execute(insert(kept).from_select([column.name for column in table.c], rows))


def _old_runs(request: CleanRequest) -> Select[Any]:
    """Select the ids of the runs that may go."""
    other = dag_run.alias("other")
    newest = (
        select(func.max(other.c.run_after))
        .where(other.c.dag_id == dag_run.c.dag_id, other.c.run_type == RunType.SCHEDULED.value)
        .scalar_subquery()
    )
    statement = select(dag_run.c.id).where(
        dag_run.c.run_after < request.before,
        dag_run.c.state.in_([DagRunState.SUCCESS.value, DagRunState.FAILED.value]),
        or_(dag_run.c.run_type != RunType.SCHEDULED.value, dag_run.c.run_after < newest),
    )
    return _of_dags(statement, dag_run.c.dag_id, request)


def _old_rows(name: str, request: CleanRequest) -> Select[Any]:
    """Select the ids of the rows of a table that stands alone."""
    table, at, id_column, conditions = _ALONE[name]
    statement = select(id_column).where(at < request.before, *conditions)
    for column in ("dag_id", "source_dag_id"):
        if column in table.c:
            return _of_dags(statement, table.c[column], request)
    return statement


def _of_dags(statement: Select[Any], dag_id: Column[Any], request: CleanRequest) -> Select[Any]:
    if request.dag_ids:
        statement = statement.where(dag_id.in_(list(request.dag_ids)))
    if request.excluded_dag_ids:
        statement = statement.where(dag_id.not_in(list(request.excluded_dag_ids)))
    return statement


def _belongs_to(name: str, runs: Select[Any] | Sequence[int]) -> ColumnElement[bool]:
    """Return which rows of a table belong to some runs, given as ids or as a selection of them."""
    table = _OF_RUNS[name]
    if name == "dag_run":
        return table.c.id.in_(runs)
    if "dag_run_id" in table.c:
        return table.c.dag_run_id.in_(runs)
    instances = select(task_instance.c.id).where(task_instance.c.dag_run_id.in_(runs))
    return table.c.task_instance_id.in_(instances)
