"""DAGs: what is in force, what is due, and what a person sets."""

from __future__ import annotations

import builtins
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    Connection,
    Select,
    delete,
    exists,
    func,
    or_,
    select,
    text,
    update,
)

from ..sdk.serialized import SerializedDag
from .dag_plans import (
    ANY_UNPLANNED,
    DUE,
    DUE_BASE,
    NEXT_DUE,
    UNPLANNED,
    read_due,
    write_next_run,
)
from .errors import DagNotFound, NotAllowed, NotFound
from .event_writes import Event, write_events
from .operations import Operations
from .pages import pages
from .run_rows import newest_runs, run_row
from .tables import (
    attempt,
    backfill,
    dag,
    dag_file,
    dag_run,
    dag_source,
    dag_tag,
    dag_version,
    task_instance,
)
from .tables.runs import LIVE_ATTEMPT, UNFINISHED_RUN
from .values import BriefRun, DagRow, DueDag, RunRow, VersionRow
from .versions import Version

if TYPE_CHECKING:
    from ..planning.plan_runs import PlannedRun

ORDERS = {
    "dag_id": dag.c.dag_id.asc(),
    "-dag_id": dag.c.dag_id.desc(),
    "next_run_after": dag.c.next_run_after.asc(),
    "-next_run_after": dag.c.next_run_after.desc(),
    "last_parsed_at": dag.c.last_parsed_at.asc(),
    "-last_parsed_at": dag.c.last_parsed_at.desc(),
    "owners": dag.c.owners.asc(),
    "-owners": dag.c.owners.desc(),
}


class DagOperations(Operations):
    """``store.dags``: the DAGs by their ids."""

    def get(self, dag_id: str) -> DagRow:
        """Return one DAG, also one whose file is gone.

        Raises:
            DagNotFound: there is none.
        """
        row = self.find(dag_id)
        if row is None:
            raise DagNotFound(dag_id)
        return row

    def find(self, dag_id: str) -> DagRow | None:
        """Return one DAG or None."""
        with self._database.read() as connection:
            rows = self._read_rows(connection, _rows_statement().where(dag.c.dag_id == dag_id))
        return rows[0] if rows else None

    def list(
        self,
        *,
        pattern: str | None = None,
        tags: Sequence[str] = (),
        is_paused: bool | None = None,
        is_active: bool | None = True,
        after: str | None = None,
        limit: int = 100,
        offset: int = 0,
        order: str = "dag_id",
        owner: str | None = None,
        has_import_errors: bool | None = None,
        run_state: str | None = None,
        dag_ids: Collection[str] | None = None,
    ) -> builtins.list[DagRow]:
        """Return DAGs.

        Args:
            pattern: part of the id or of the display name, letter case ignored.
            tags: all of them.
            after: only ids greater than this (keyset paging by id).
            order: a key of ``ORDERS``.
            run_state: "running": a run of it runs; else the state of its newest run.
            dag_ids: only these.
        """
        if order not in ORDERS:
            raise NotAllowed(f"DAGs cannot be ordered by {order!r}.")
        statement = _filtered(
            _rows_statement(), pattern, tags, is_paused, is_active, owner, has_import_errors
        )
        statement = _by_run_state(statement, run_state)
        if dag_ids is not None:
            statement = statement.where(dag.c.dag_id.in_(sorted(dag_ids)))
        if after is not None:
            statement = statement.where(dag.c.dag_id > after)
        statement = statement.order_by(ORDERS[order], dag.c.dag_id).limit(limit).offset(offset)
        with self._database.read() as connection:
            return self._read_rows(connection, statement)

    def count(
        self,
        *,
        pattern: str | None = None,
        tags: Sequence[str] = (),
        is_paused: bool | None = None,
        is_active: bool | None = True,
        owner: str | None = None,
        has_import_errors: bool | None = None,
        run_state: str | None = None,
        dag_ids: Collection[str] | None = None,
    ) -> int:
        """Count DAGs under the same conditions as ``list``."""
        base = select(func.count()).select_from(dag).join(dag_file, dag_file.c.id == dag.c.file_id)
        statement = _filtered(base, pattern, tags, is_paused, is_active, owner, has_import_errors)
        statement = _by_run_state(statement, run_state)
        if dag_ids is not None:
            statement = statement.where(dag.c.dag_id.in_(sorted(dag_ids)))
        with self._database.read() as connection:
            return int(connection.execute(statement).scalar_one())

    def tags(self) -> builtins.list[str]:
        """Return every tag that a DAG in force has."""
        statement = (
            select(dag_tag.c.name)
            .join(dag, dag.c.dag_id == dag_tag.c.dag_id)
            .where(dag.c.is_active.is_(True))
            .distinct()
            .order_by(dag_tag.c.name)
        )
        with self._database.read() as connection:
            return list(connection.execute(statement).scalars())

    def set_paused(self, dag_id: str, is_paused: bool, now: datetime, actor: str) -> bool:
        """Pause or un-pause; False: it was so already.

        Un-pausing plans the next run anew, so that catchup starts from what is now due.

        Raises:
            DagNotFound: there is no such DAG.
        """
        with self._database.write() as connection:
            known = connection.execute(
                select(dag.c.is_paused).where(dag.c.dag_id == dag_id)
            ).scalar_one_or_none()
            if known is None:
                raise DagNotFound(dag_id)
            if known == is_paused:
                return False
            values: dict[str, Any] = {"is_paused": is_paused}
            if not is_paused:
                values |= {"needs_planning": True, "is_first_plan": False}
            connection.execute(update(dag).where(dag.c.dag_id == dag_id).values(values))
            kind = "dag.paused" if is_paused else "dag.unpaused"
            write_events(connection, [Event(kind, actor, dag_id)], now)
        self._ring("scheduler", "web")
        return True

    def serialized(self, dag_id: str) -> SerializedDag:
        """Return the newest version of a DAG.

        Raises:
            DagNotFound: there is no such DAG.
        """
        return self.newest(dag_id).dag

    def newest(self, dag_id: str) -> Version:
        """Return the newest version with its structure.

        Raises:
            DagNotFound: there is no such DAG.
        """
        with self._database.read() as connection:
            version_id = connection.execute(
                select(dag.c.version_id).where(dag.c.dag_id == dag_id)
            ).scalar_one_or_none()
            if version_id is None:
                raise DagNotFound(dag_id)
            return self._versions.get(connection, version_id)

    def version(self, version_id: int) -> SerializedDag:
        """Return one version by its id.

        Raises:
            NotFound: there is no such version.
        """
        return self.structured(version_id).dag

    def structured(self, version_id: int) -> Version:
        """Return one version with its structure.

        Raises:
            NotFound: there is no such version.
        """
        with self._database.read() as connection:
            return self._versions.get(connection, version_id)

    def versions(self, dag_id: str) -> builtins.list[VersionRow]:
        """Return the versions of a DAG, newest first."""
        statement = (
            select(
                dag_version.c.id,
                dag_version.c.version_number,
                dag_version.c.hash,
                dag_version.c.source_hash,
                dag_version.c.created_at,
            )
            .where(dag_version.c.dag_id == dag_id)
            .order_by(dag_version.c.version_number.desc())
        )
        with self._database.read() as connection:
            return [VersionRow(*row) for row in connection.execute(statement).all()]

    def source(self, dag_id: str, version_number: int | None = None) -> str:
        """Return the text of the file of one version (None: the newest).

        Raises:
            DagNotFound: there is no such DAG.
            NotFound: the version, or its source, is not kept.
        """
        statement = (
            select(dag_source.c.source)
            .join(dag_version, dag_version.c.source_hash == dag_source.c.content_hash)
            .join(dag, dag.c.dag_id == dag_version.c.dag_id)
            .where(dag.c.dag_id == dag_id)
        )
        if version_number is None:
            statement = statement.where(dag_version.c.id == dag.c.version_id)
        else:
            statement = statement.where(dag_version.c.version_number == version_number)
        with self._database.read() as connection:
            found = connection.execute(statement).scalar_one_or_none()
        if found is None:
            self.get(dag_id)
            raise NotFound(f"The source of DAG {dag_id!r} is not kept.")
        return str(found)

    def delete(self, dag_id: str, now: datetime, actor: str) -> int:
        """Delete a DAG with all its history; return how many runs it had.

        If its file is still there, the next parse makes the DAG again.

        Raises:
            DagNotFound: there is no such DAG.
            NotAllowed: a task instance of it still runs.
        """
        with self._database.write() as connection:
            if (
                connection.execute(select(dag.c.dag_id).where(dag.c.dag_id == dag_id)).first()
                is None
            ):
                raise DagNotFound(dag_id)
            refuse_while_running(connection, dag_id)
            runs = connection.execute(delete(dag_run).where(dag_run.c.dag_id == dag_id)).rowcount
            connection.execute(delete(backfill).where(backfill.c.dag_id == dag_id))
            connection.execute(delete(dag_version).where(dag_version.c.dag_id == dag_id))
            file_id = connection.execute(
                delete(dag).where(dag.c.dag_id == dag_id).returning(dag.c.file_id)
            ).scalar_one()
            # The file is to be parsed again: an unchanged hash would leave the DAG away for ever.
            connection.execute(
                update(dag_file).where(dag_file.c.id == file_id).values(content_hash="")
            )
            write_events(
                connection, [Event("dag.deleted", actor, dag_id, detail={"runs": runs})], now
            )
        self._ring("scheduler", "web")
        return runs

    def due(self, now: datetime, limit: int = 100) -> builtins.list[DueDag]:
        """Return DAGs whose next run is due and may be created, the longest overdue first."""
        next_due_at = self.next_due_at()
        if next_due_at is None or next_due_at > now:
            return []
        with self._database.read() as connection:
            rows = connection.execute(DUE, {"now": now, "limit": limit}).all()
            return [read_due(connection, row) for row in rows]

    def unplanned(self, limit: int = 100) -> builtins.list[DueDag]:
        """Return DAGs whose next run has to be planned: new, changed, or just un-paused."""
        if not self._remembered.is_any(ANY_UNPLANNED):
            return []
        with self._database.read() as connection:
            rows = connection.execute(UNPLANNED, {"limit": limit}).all()
            return [read_due(connection, row) for row in rows]

    def planning_input(self, dag_id: str) -> DueDag:
        """Return what planning asks about one DAG.

        Raises:
            DagNotFound: there is no such DAG.
        """
        with self._database.read() as connection:
            row = connection.execute(DUE_BASE.where(dag.c.dag_id == dag_id)).one_or_none()
            if row is None:
                raise DagNotFound(dag_id)
            return read_due(connection, row)

    def next_due_at(self) -> datetime | None:
        """Return when the next run of any DAG is due, None: nothing is planned."""
        found: datetime | None = self._remembered.value(NEXT_DUE)
        return found

    def set_next_run(self, dag_id: str, run: PlannedRun | None, now: datetime) -> None:
        """Keep the run that was planned next; None: there will be none."""
        self.set_next_runs({dag_id: run}, now)

    def set_next_runs(self, planned: Mapping[str, PlannedRun | None], now: datetime) -> None:
        """Keep the runs that were planned next, by DAG, in one transaction."""
        with self._database.write() as connection:
            for dag_id, run in planned.items():
                write_next_run(connection, dag_id, run)

    def last_runs(
        self, dag_ids: Iterable[str], per_dag: int = 14
    ) -> dict[str, builtins.list[RunRow]]:
        """Return the newest runs of each DAG, newest first."""
        found: dict[str, builtins.list[RunRow]] = {dag_id: [] for dag_id in dag_ids}
        with self._database.read() as connection:
            for some in pages(list(found)):
                statement = newest_runs(select(dag_run), per_dag).where(dag.c.dag_id.in_(some))
                for row in connection.execute(statement).all():
                    found[row.dag_id].append(run_row(row))
        return found

    def brief_runs(
        self, dag_ids: Iterable[str], per_dag: int
    ) -> dict[str, builtins.list[BriefRun]]:
        """Return the newest runs of each DAG, newest first, with what a list shows of them."""
        found: dict[str, builtins.list[BriefRun]] = {dag_id: [] for dag_id in dag_ids}
        columns = ("dag_id", "run_id", "state", "started_at", "ended_at")
        chosen = select(*(dag_run.c[name] for name in columns))
        with self._database.read() as connection:
            for some in pages(list(found)):
                statement = newest_runs(chosen, per_dag).where(dag.c.dag_id.in_(some))
                for row in connection.execute(statement).all():
                    found[row.dag_id].append(BriefRun(*row))
        return found

    def unfinished_counts(self, dag_ids: Sequence[str] | None = None) -> dict[str, dict[str, int]]:
        """Return DAG → state → number of its unfinished runs."""
        statement = (
            select(dag_run.c.dag_id, dag_run.c.state, func.count())
            .where(text(f"dag_run.{UNFINISHED_RUN}"))
            .group_by(dag_run.c.dag_id, dag_run.c.state)
        )
        if dag_ids is not None:
            statement = statement.where(dag_run.c.dag_id.in_(dag_ids))
        counts: dict[str, dict[str, int]] = {}
        with self._database.read() as connection:
            for dag_id, state, count in connection.execute(statement):
                counts.setdefault(dag_id, {})[state] = count
        return counts

    def _read_rows(self, connection: Connection, statement: Select[Any]) -> builtins.list[DagRow]:
        rows = connection.execute(statement).all()
        tags: dict[str, builtins.list[str]] = {}
        ids = [row.dag_id for row in rows]
        for start in range(0, len(ids), 500):
            some = select(dag_tag.c.dag_id, dag_tag.c.name).where(
                dag_tag.c.dag_id.in_(ids[start : start + 500])
            )
            for dag_id, name in connection.execute(some.order_by(dag_tag.c.name)):
                tags.setdefault(dag_id, []).append(name)
        return [DagRow(tags=tuple(tags.get(row.dag_id, ())), **row._mapping) for row in rows]


def _rows_statement() -> Select[Any]:
    return select(
        dag.c.dag_id,
        dag.c.dag_display_name,
        dag.c.description,
        dag_file.c.relative_path.label("relative_fileloc"),
        dag_file.c.path.label("fileloc"),
        dag.c.is_paused,
        dag.c.is_active,
        dag.c.version_id,
        dag.c.version_number,
        dag.c.owners,
        dag.c.timetable_summary,
        dag.c.timetable_description,
        dag.c.is_custom_timetable,
        dag.c.max_active_runs,
        dag.c.max_active_tasks,
        dag.c.dialect,
        dag.c.is_catchup,
        dag.c.last_parsed_at,
        dag.c.next_logical_date,
        dag.c.next_data_interval_start,
        dag.c.next_data_interval_end,
        dag.c.next_run_after,
        dag.c.next_run_id,
        dag_file.c.error.is_not(None).label("has_import_errors"),
        dag.c.created_at,
    ).join(dag_file, dag_file.c.id == dag.c.file_id)


def _filtered(
    statement: Select[Any],
    pattern: str | None,
    tags: Sequence[str],
    is_paused: bool | None,
    is_active: bool | None,
    owner: str | None,
    has_import_errors: bool | None,
) -> Select[Any]:
    if pattern:
        statement = statement.where(
            or_(
                dag.c.dag_id.icontains(pattern, autoescape=True),
                dag.c.dag_display_name.icontains(pattern, autoescape=True),
            )
        )
    for name in tags:
        statement = statement.where(
            exists(
                select(dag_tag.c.dag_id).where(
                    dag_tag.c.dag_id == dag.c.dag_id, dag_tag.c.name == name
                )
            )
        )
    if is_paused is not None:
        statement = statement.where(dag.c.is_paused.is_(is_paused))
    if is_active is not None:
        statement = statement.where(dag.c.is_active.is_(is_active))
    if owner:
        statement = statement.where(dag.c.owners.icontains(owner, autoescape=True))
    if has_import_errors is not None:
        condition = (
            dag_file.c.error.is_not(None) if has_import_errors else dag_file.c.error.is_(None)
        )
        statement = statement.where(condition)
    return statement


def _by_run_state(statement: Select[Any], run_state: str | None) -> Select[Any]:
    if run_state is None:
        return statement
    if run_state == "running":
        running = select(dag_run.c.id).where(
            dag_run.c.dag_id == dag.c.dag_id,
            dag_run.c.state == "running",
            text(f"dag_run.{UNFINISHED_RUN}"),
        )
        return statement.where(exists(running))
    newest = (
        select(dag_run.c.state)
        .where(dag_run.c.dag_id == dag.c.dag_id)
        .order_by(dag_run.c.run_after.desc(), dag_run.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return statement.where(newest == run_state)


def refuse_while_running(
    connection: Connection, dag_id: str, dag_run_id: int | None = None
) -> None:
    """Refuse to delete what a living process still works for: nobody could stop it then.

    Raises:
        NotAllowed: a task's process runs, or has been told to stop and has not gone yet.
    """
    statement = (
        select(task_instance.c.task_id, dag_run.c.run_id)
        .join(attempt, attempt.c.task_instance_id == task_instance.c.id)
        .join(dag_run, dag_run.c.id == task_instance.c.dag_run_id)
        .where(text(f"attempt.{LIVE_ATTEMPT}"), dag_run.c.dag_id == dag_id)
        .limit(1)
    )
    if dag_run_id is not None:
        statement = statement.where(dag_run.c.id == dag_run_id)
    running = connection.execute(statement).first()
    if running is not None:
        raise NotAllowed(
            f"Task {running.task_id!r} of run {running.run_id!r} of DAG {dag_id!r} still runs; "
            "what is to be deleted has to be stopped first."
        )
