"""Backfills: runs over a range of dates, started in order under a limit of their own."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, func, insert, select, text, update

from ..sdk.states import FINISHED_RUN, DagRunState, RunType
from . import state_writes
from .backfill_ends import complete_backfill
from .clears import clear_rows, move_to_version
from .dag_runs import insert_run
from .errors import BackfillNotFound, DagNotFound, NotAllowed
from .event_writes import Event, write_events
from .new_runs import new_run
from .operations import Operations
from .run_marks import requeue_run
from .selections import ROWS
from .settle import Settling
from .state_writes import RunMove
from .tables import backfill, backfill_run, dag, dag_run
from .tables.runs import UNFINISHED_RUN
from .values import BackfillPlanEntry, BackfillRow

if TYPE_CHECKING:
    from ..planning.plan_runs import PlannedRun

REPROCESS_BEHAVIORS = ("none", "completed", "failed")


class BackfillOperations(Operations):
    """``store.backfills``: see semantics 10.7."""

    def plan(
        self, dag_id: str, runs: Sequence[PlannedRun], reprocess_behavior: str = "none"
    ) -> list[BackfillPlanEntry]:
        """Return what a backfill would make of each run, in the same order; nothing is written.

        Args:
            reprocess_behavior: which finished runs run again: none, completed (all), failed.

        Raises:
            DagNotFound: there is no such DAG.
            NotAllowed: the behaviour is not one of them.
        """
        with self._database.read() as connection:
            return _plan(connection, dag_id, runs, reprocess_behavior)[0]

    def create(
        self,
        dag_id: str,
        runs: Sequence[PlannedRun],
        *,
        from_at: datetime,
        to_at: datetime,
        max_active_runs: int,
        reprocess_behavior: str = "none",
        is_reverse: bool = False,
        conf: Mapping[str, Any] | None = None,
        now: datetime,
        actor: str,
    ) -> int:
        """Create a backfill and its runs at once; they are started in the order given.

        Raises:
            DagNotFound: there is no such DAG.
            NotAllowed: another backfill of the DAG is not finished, or there is nothing to run.
        """
        if max_active_runs < 1:
            raise NotAllowed(f"max_active_runs is 1 or more, not {max_active_runs}.")
        with self._database.write() as connection:
            entries, existing = _plan(connection, dag_id, runs, reprocess_behavior)
            _refuse(connection, dag_id, entries)
            backfill_id: int = connection.execute(
                insert(backfill)
                .values(
                    dag_id=dag_id,
                    from_at=from_at,
                    to_at=to_at,
                    max_active_runs=max_active_runs,
                    reprocess_behavior=reprocess_behavior,
                    is_reverse=is_reverse,
                    conf=None if conf is None else dict(conf),
                    created_at=now,
                    created_by=actor,
                )
                .returning(backfill.c.id)
            ).scalar_one()
            settling = Settling(connection, self._versions, self._settings, now, actor)
            for ordinal, (entry, run) in enumerate(zip(entries, runs, strict=True), start=1):
                dag_run_id = self._take(
                    settling, dag_id, backfill_id, ordinal, entry, run, existing, conf
                )
                connection.execute(
                    insert(backfill_run).values(
                        backfill_id=backfill_id,
                        dag_run_id=dag_run_id,
                        logical_date=entry.logical_date,
                        ordinal=ordinal,
                        action=entry.action,
                    )
                )
            event = Event("backfill.created", actor, dag_id, detail={"id": backfill_id})
            write_events(connection, [event, *settling.events], now)
        self._ring("scheduler", "web")
        return backfill_id

    def get(self, backfill_id: int) -> BackfillRow:
        """Return one backfill and how far it is.

        Raises:
            BackfillNotFound: there is none.
        """
        with self._database.read() as connection:
            row = connection.execute(
                select(backfill).where(backfill.c.id == backfill_id)
            ).one_or_none()
            if row is None:
                raise BackfillNotFound(backfill_id)
            return _backfill_row(connection, row)

    def list(
        self, dag_id: str | None = None, *, limit: int = 100, offset: int = 0
    ) -> builtins.list[BackfillRow]:
        """Return backfills, newest first."""
        statement = select(backfill).order_by(backfill.c.id.desc()).limit(limit).offset(offset)
        if dag_id is not None:
            statement = statement.where(backfill.c.dag_id == dag_id)
        with self._database.read() as connection:
            rows = connection.execute(statement).all()
            return [_backfill_row(connection, row) for row in rows]

    def set_paused(self, backfill_id: int, is_paused: bool, now: datetime, actor: str) -> None:
        """Stop, or allow again, new starts; what runs goes on.

        Raises:
            BackfillNotFound: there is none.
            NotAllowed: it is finished.
        """
        with self._database.write() as connection:
            row = _unfinished(connection, backfill_id)
            connection.execute(
                update(backfill).where(backfill.c.id == backfill_id).values(is_paused=is_paused)
            )
            kind = "backfill.paused" if is_paused else "backfill.unpaused"
            event = Event(kind, actor, row.dag_id, detail={"id": backfill_id})
            write_events(connection, [event], now)
        self._ring("scheduler", "web")

    def cancel(self, backfill_id: int, now: datetime, actor: str) -> None:
        """End a backfill: its queued runs fail, running ones finish.

        Raises:
            BackfillNotFound: there is none.
            NotAllowed: it is finished already.
        """
        with self._database.write() as connection:
            row = _unfinished(connection, backfill_id)
            connection.execute(
                update(backfill)
                .where(backfill.c.id == backfill_id)
                .values(is_paused=True, completed_at=now)
            )
            queued = connection.execute(
                select(dag_run.c.id).where(
                    dag_run.c.backfill_id == backfill_id,
                    dag_run.c.state == DagRunState.QUEUED.value,
                )
            ).scalars()
            for dag_run_id in queued.all():
                move = RunMove(
                    dag_run_id,
                    DagRunState.QUEUED,
                    DagRunState.FAILED,
                    "its backfill was cancelled",
                    {"ended_at": now, "started_at": now},
                )
                state_writes.write_run_move(connection, move)
            event = Event("backfill.cancelled", actor, row.dag_id, detail={"id": backfill_id})
            write_events(connection, [event], now)
        self._ring("scheduler", "web")

    def _take(
        self,
        settling: Settling,
        dag_id: str,
        backfill_id: int,
        ordinal: int,
        entry: BackfillPlanEntry,
        run: PlannedRun,
        existing: Mapping[datetime, Any],
        conf: Mapping[str, Any] | None,
    ) -> int | None:
        """Create, or clear, the run of one date; return its number, None: it is left alone."""
        if entry.action == "create":
            new = new_run(
                dag_id,
                run,
                run_type=RunType.BACKFILL.value,
                conf=conf,
                triggered_by="backfill",
                backfill_id=backfill_id,
                backfill_ordinal=ordinal,
            )
            return insert_run(settling.connection, self._versions, new, settling.now)
        found = existing[entry.logical_date]
        if entry.action == "reprocess":
            _reprocess(settling, found, backfill_id, ordinal, conf)
        return int(found.id)


def _reprocess(
    settling: Settling,
    run: Any,
    backfill_id: int,
    ordinal: int,
    conf: Mapping[str, Any] | None,
) -> None:
    """Clear a finished run whole, on the newest version, and make it one of the backfill's."""
    connection = settling.connection
    newest = settling.versions.get(
        connection,
        connection.execute(select(dag.c.version_id).where(dag.c.dag_id == run.dag_id)).scalar_one(),
    )
    rows = connection.execute(ROWS.where(dag_run.c.id == run.id)).all()
    clear_rows(settling, rows, newest, f"backfill {backfill_id}")
    move_to_version(settling, run, newest)
    values: dict[str, Any] = {
        "run_type": RunType.BACKFILL.value,
        "triggered_by": "backfill",
        "backfill_id": backfill_id,
        "backfill_ordinal": ordinal,
    }
    if conf is not None:
        values["conf"] = dict(conf)
    connection.execute(update(dag_run).where(dag_run.c.id == run.id).values(values))
    requeue_run(connection, run.id, DagRunState(run.state), settling.now, count_clear=True)


def _plan(
    connection: Connection, dag_id: str, runs: Sequence[PlannedRun], reprocess_behavior: str
) -> tuple[list[BackfillPlanEntry], dict[datetime, Any]]:
    if reprocess_behavior not in REPROCESS_BEHAVIORS:
        raise NotAllowed(
            f"A backfill reprocesses {', '.join(REPROCESS_BEHAVIORS)}; not {reprocess_behavior!r}."
        )
    if connection.execute(select(dag.c.dag_id).where(dag.c.dag_id == dag_id)).first() is None:
        raise DagNotFound(dag_id)
    dates = [run.logical_date for run in runs if run.logical_date is not None]
    existing: dict[datetime, Any] = {}
    for start in range(0, len(dates), 500):
        rows = connection.execute(
            select(dag_run).where(
                dag_run.c.dag_id == dag_id,
                dag_run.c.logical_date.in_(dates[start : start + 500]),
            )
        )
        existing.update({row.logical_date: row for row in rows.all()})
    entries: list[BackfillPlanEntry] = []
    for run in runs:
        if (
            run.logical_date is None
            or run.data_interval_start is None
            or run.data_interval_end is None
        ):
            raise NotAllowed("A backfill is made of runs with logical dates.")
        found = existing.get(run.logical_date)
        entries.append(
            BackfillPlanEntry(
                logical_date=run.logical_date,
                data_interval_start=run.data_interval_start,
                data_interval_end=run.data_interval_end,
                run_id=run.run_id if found is None else found.run_id,
                action=_action(found, reprocess_behavior),
            )
        )
    return entries, existing


def _action(found: Any, reprocess_behavior: str) -> str:
    if found is None:
        return "create"
    if DagRunState(found.state) not in FINISHED_RUN:
        return "in_flight"
    if reprocess_behavior == "completed":
        return "reprocess"
    if reprocess_behavior == "failed" and found.state == DagRunState.FAILED.value:
        return "reprocess"
    return "exists"


def _refuse(connection: Connection, dag_id: str, entries: Sequence[BackfillPlanEntry]) -> None:
    active = connection.execute(
        select(backfill.c.id).where(text("completed_at IS NULL"), backfill.c.dag_id == dag_id)
    ).scalar()
    if active is not None:
        # A backfill whose last run went in a way that nobody noted is over all the same.
        if complete_backfill(connection, active, None):
            return _refuse(connection, dag_id, entries)
        raise NotAllowed(f"Backfill {active} of DAG {dag_id!r} is not finished.")
    if not any(entry.action in ("create", "reprocess") for entry in entries):
        raise NotAllowed("There are no runs to create: all dates of the range have their run.")
    return None


def _unfinished(connection: Connection, backfill_id: int) -> Any:
    row = connection.execute(select(backfill).where(backfill.c.id == backfill_id)).one_or_none()
    if row is None:
        raise BackfillNotFound(backfill_id)
    if row.completed_at is not None:
        raise NotAllowed(f"Backfill {backfill_id} is finished.")
    return row


def _backfill_row(connection: Connection, row: Any) -> BackfillRow:
    counts = {
        row[0]: row[1]
        for row in connection.execute(
            select(dag_run.c.state, func.count())
            .where(dag_run.c.backfill_id == row.id)
            .group_by(dag_run.c.state)
        )
    }
    skipped = connection.execute(
        select(func.count())
        .select_from(backfill_run)
        .where(
            backfill_run.c.backfill_id == row.id,
            backfill_run.c.action.in_(("exists", "in_flight")),
        )
    ).scalar_one()
    if skipped:
        counts["skipped"] = skipped
    completed_at = row.completed_at
    if completed_at is None and not _has_unfinished(connection, row.id):
        completed_at = connection.execute(
            select(func.max(dag_run.c.ended_at)).where(dag_run.c.backfill_id == row.id)
        ).scalar()
    return BackfillRow(
        id=row.id,
        dag_id=row.dag_id,
        from_at=row.from_at,
        to_at=row.to_at,
        max_active_runs=row.max_active_runs,
        reprocess_behavior=row.reprocess_behavior,
        is_reverse=row.is_reverse,
        is_paused=row.is_paused,
        conf=row.conf,
        created_at=row.created_at,
        completed_at=completed_at,
        created_by=row.created_by,
        counts=counts,
    )


def _has_unfinished(connection: Connection, backfill_id: int) -> bool:
    return (
        connection.execute(
            select(dag_run.c.id)
            .where(text(f"dag_run.{UNFINISHED_RUN}"), dag_run.c.backfill_id == backfill_id)
            .limit(1)
        ).first()
        is not None
    )
