"""Dag runs: created with all their task instances, started under limits, advanced, ended."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import (
    Connection,
    Select,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    text,
    update,
)

from ..planning.expand import initial_instances
from ..sdk.clock import Clock
from ..sdk.states import DagRunState, RunType
from .dag_plans import write_next_run
from .dags import refuse_while_running
from .deadline_writes import write_deadlines
from .errors import DagNotFound, DagRunExists, DagRunNotFound, NotAllowed
from .event_writes import Event, write_events
from .instance_rows import create_rows
from .locking import Locking
from .operations import Operations
from .pages import pages
from .queueing import hints_of
from .row_locks import lock_dags_of_runs
from .run_marks import mark_run
from .run_rows import run_row
from .run_starts import RUN_AFTER, find_startable
from .settle import Settling
from .tables import dag, dag_run, task_instance
from .tables.runs import UNFINISHED_RUN
from .values import Advanced, NewRun, RunRow
from .versions import VersionCache

if TYPE_CHECKING:
    from ..planning.plan_runs import PlannedRun


class _Unchanged(Enum):
    """A default that cannot be mistaken for "there is no next run"."""

    UNCHANGED = "unchanged"


UNCHANGED: Final = _Unchanged.UNCHANGED

ORDERS = {
    "run_after": dag_run.c.run_after,
    "logical_date": dag_run.c.logical_date,
    "started_at": dag_run.c.started_at,
    "ended_at": dag_run.c.ended_at,
    "state": dag_run.c.state,
    "run_id": dag_run.c.run_id,
    "id": dag_run.c.id,
    "dag_id": dag_run.c.dag_id,
}

_DUE_TIMERS = select(dag_run.c.id).where(
    dag_run.c.wake_at <= bindparam("now", type_=dag_run.c.wake_at.type)
)

_NEXT_TIMER = select(func.min(dag_run.c.wake_at)).where(dag_run.c.wake_at.is_not(None))

_FIRST_START = select(func.min(RUN_AFTER)).where(
    text(f"dag_run.{UNFINISHED_RUN}"), dag_run.c.state == DagRunState.QUEUED.value
)

_NEXT_START = _FIRST_START.where(bindparam("now", type_=dag_run.c.run_after.type) < RUN_AFTER)

#: Not ordered here: for that SQLite would walk the whole table by its row ids.
_SIZES = (
    select(task_instance.c.dag_run_id, func.count())
    .where(task_instance.c.dag_run_id.in_(bindparam("ids", expanding=True)))
    .group_by(task_instance.c.dag_run_id)
)

_INSERT = insert(dag_run).returning(dag_run.c.id)
_UNFINISHED = select(dag_run.c.id).where(
    text(f"dag_run.{UNFINISHED_RUN}"), dag_run.c.state == DagRunState.RUNNING.value
)


class RunOperations(Operations):
    """``store.runs``: the runs of DAGs."""

    def create(
        self,
        new: NewRun,
        now: datetime,
        next_run: PlannedRun | _Unchanged | None = UNCHANGED,
        actor: str = "scheduler",
    ) -> int:
        """Create a queued run with all its task instances; return its number.

        Args:
            next_run: what is planned after it, kept in the same commit. It is kept even where
                the run exists already, else the schedule would stand still before it for ever.

        Raises:
            DagNotFound: there is no such DAG.
            DagRunExists: the run id, or the logical date, is taken.
        """
        existing: str | None = None
        with self._database.write() as connection:
            if not isinstance(next_run, _Unchanged):
                write_next_run(connection, new.dag_id, next_run, is_final=False)
            existing = find_existing(connection, new)
            if existing is None:
                dag_run_id = insert_run(connection, self._versions, new, now)
                detail = {"run": [dag_run_id, "", "queued", new.run_type]}
                kind = "state" if actor == "scheduler" else "run.triggered"
                write_events(
                    connection, [Event(kind, actor, new.dag_id, new.run_id, detail=detail)], now
                )
        if existing is not None:
            raise DagRunExists(new.dag_id, new.run_id, existing)
        self._ring("scheduler", "web")
        return dag_run_id

    def start_queued(self, now: datetime, clock: Clock | None = None) -> Advanced:
        """Start queued runs under their limits, decide them, queue what may start.

        Args:
            clock: see ``Settling.start_queued``.
        """
        if not _is_over(self._remembered.value(_FIRST_START), now):
            return Advanced(changed=False)
        # Asked again where it counts; often limits let none begin, and then nobody waits for us.
        with self._database.read() as connection:
            if not find_startable(connection, now):
                return Advanced(changed=False)
        return self._advance(now, (), start=True, clock=clock)

    def advance(self, dag_run_ids: Iterable[int], now: datetime) -> Advanced:
        """Decide these runs until nothing changes, and queue what follows."""
        ids = list(dag_run_ids)
        return self._advance(now, ids, start=False) if ids else Advanced(changed=False)

    def unfinished_ids(self) -> list[int]:
        """Return all running runs, oldest first: what a sweep goes over."""
        return sorted(row.id for row in self._remembered.rows(_UNFINISHED))

    def sizes(self, dag_run_ids: Iterable[int]) -> dict[int, int]:
        """Return how many task instances these runs have: what deciding them costs."""
        ids = list(dag_run_ids)
        if not ids:
            return {}
        with self._database.read() as connection:
            rows = connection.execute(_SIZES, {"ids": ids}).all()
        return {row[0]: row[1] for row in rows}

    def due_ids(self, now: datetime) -> list[int]:
        """Return runs in which time alone changes something now."""
        if not _is_over(self._remembered.value(_NEXT_TIMER), now):
            return []
        with self._database.read() as connection:
            return list(connection.execute(_DUE_TIMERS, {"now": now}).scalars())

    def next_timer_at(self, now: datetime) -> datetime | None:
        """Return when time alone changes something: in a run, or by starting a queued one."""
        start_at: datetime | None = self._remembered.value(_FIRST_START)
        if _is_over(start_at, now):  # held back by a limit; the time of a later one may come first
            with self._database.read() as connection:
                start_at = connection.execute(_NEXT_START, {"now": now}).scalar()
        found = [self._remembered.value(_NEXT_TIMER), start_at]
        return min((at for at in found if at is not None), default=None)

    def get(self, dag_id: str, run_id: str) -> RunRow:
        """Return one run.

        Raises:
            DagRunNotFound: there is none.
        """
        found = self.find(dag_id, run_id)
        if found is None:
            raise DagRunNotFound(dag_id, run_id)
        return found

    def find(self, dag_id: str, run_id: str) -> RunRow | None:
        """Return one run or None."""
        return self._one(dag_run.c.dag_id == dag_id, dag_run.c.run_id == run_id)

    def by_id(self, dag_run_id: int) -> RunRow | None:
        """Return the run with this number or None."""
        return self._one(dag_run.c.id == dag_run_id)

    def list(
        self,
        dag_id: str | None = None,
        *,
        states: Sequence[str] = (),
        run_types: Sequence[str] = (),
        logical_from: datetime | None = None,
        logical_to: datetime | None = None,
        run_id_part: str | None = None,
        backfill_id: int | None = None,
        before_id: int | None = None,
        limit: int = 25,
        offset: int = 0,
        order: str = "-run_after",
    ) -> builtins.list[RunRow]:
        """Return runs; bounds of the logical date are inclusive.

        Args:
            before_id: only runs created before this one (keyset paging with order "-id").
            order: a key of ``ORDERS``, with "-" in front for the reverse.

        Raises:
            NotAllowed: runs cannot be ordered so.
        """
        name, is_descending = order.removeprefix("-"), order.startswith("-")
        if name not in ORDERS:
            raise NotAllowed(f"Runs cannot be ordered by {name!r}.")
        column = ORDERS[name]
        statement = _filtered(
            select(dag_run), dag_id, states, run_types, logical_from, logical_to, run_id_part
        )
        if backfill_id is not None:
            statement = statement.where(dag_run.c.backfill_id == backfill_id)
        if before_id is not None:
            statement = statement.where(dag_run.c.id < before_id)
        statement = statement.order_by(
            column.desc() if is_descending else column.asc(),
            dag_run.c.id.desc() if is_descending else dag_run.c.id.asc(),
        )
        with self._database.read() as connection:
            rows = connection.execute(statement.limit(limit).offset(offset)).all()
        return [run_row(row) for row in rows]

    def count(
        self,
        dag_id: str | None = None,
        *,
        states: Sequence[str] = (),
        run_types: Sequence[str] = (),
        logical_from: datetime | None = None,
        logical_to: datetime | None = None,
        run_id_part: str | None = None,
    ) -> int:
        """Count runs under the same conditions as ``list``."""
        statement = _filtered(
            select(func.count()).select_from(dag_run),
            dag_id,
            states,
            run_types,
            logical_from,
            logical_to,
            run_id_part,
        )
        with self._database.read() as connection:
            return int(connection.execute(statement).scalar_one())

    def count_matching(
        self,
        *,
        dag_id: str,
        logical_dates: Sequence[datetime] | None = None,
        run_ids: Sequence[str] | None = None,
        states: Sequence[str] | None = None,
    ) -> int:
        """Count one DAG's runs of these dates, ids and states; None: any."""
        statement = select(func.count()).select_from(dag_run).where(dag_run.c.dag_id == dag_id)
        if logical_dates is not None:
            statement = statement.where(dag_run.c.logical_date.in_(logical_dates))
        if run_ids is not None:
            statement = statement.where(dag_run.c.run_id.in_(run_ids))
        if states is not None:
            statement = statement.where(dag_run.c.state.in_(states))
        with self._database.read() as connection:
            return int(connection.execute(statement).scalar_one())

    def previous(
        self, dag_id: str, logical_date: datetime, state: str | None = None
    ) -> RunRow | None:
        """Return the latest run with a smaller logical date (and this state), or None."""
        statement = select(dag_run).where(
            dag_run.c.dag_id == dag_id, dag_run.c.logical_date < logical_date
        )
        if state is not None:
            statement = statement.where(dag_run.c.state == state)
        statement = statement.order_by(dag_run.c.logical_date.desc()).limit(1)
        with self._database.read() as connection:
            row = connection.execute(statement).one_or_none()
        return None if row is None else run_row(row)

    def counts(self, dag_run_ids: Sequence[int]) -> dict[int, dict[str, int]]:
        """Return run → state → number of its task instances."""
        found: dict[int, dict[str, int]] = {id_: {} for id_ in dag_run_ids}
        with self._database.read() as connection:
            for some in pages(dag_run_ids):
                rows = connection.execute(
                    select(task_instance.c.dag_run_id, task_instance.c.state, func.count())
                    .where(task_instance.c.dag_run_id.in_(some))
                    .group_by(task_instance.c.dag_run_id, task_instance.c.state)
                )
                for dag_run_id, state, count in rows:
                    found[dag_run_id][state] = count
        return found

    def set_state(
        self, dag_id: str, run_id: str, state: DagRunState | str, now: datetime, actor: str
    ) -> RunRow:
        """Mark a run: success, failed, or queued to be started again (semantics 5.13).

        Raises:
            DagRunNotFound: there is no such run.
            NotAllowed: a run cannot be marked so.
        """
        wanted = DagRunState(state)
        with self._database.write() as connection:
            row = find_run(connection, dag_id, run_id)
            settling = Settling(connection, self._versions, self._settings, now, actor)
            mark_run(connection, self._versions, row, wanted, now, settling)
            settling.queue_following(always=True)
            write_events(
                connection,
                [
                    Event("run.marked", actor, dag_id, run_id, detail={"state": wanted.value}),
                    *settling.events,
                ],
                now,
            )
        self._ring("scheduler", "runner", "web")
        return self.get(dag_id, run_id)

    def set_note(self, dag_id: str, run_id: str, note: str, now: datetime, actor: str) -> None:
        """Set the note of a run.

        Raises:
            DagRunNotFound: there is no such run.
        """
        with self._database.write() as connection:
            row = find_run(connection, dag_id, run_id)
            connection.execute(update(dag_run).where(dag_run.c.id == row.id).values(note=note))
            write_events(connection, [Event("run.note", actor, dag_id, run_id)], now)

    def delete(self, dag_id: str, run_id: str, now: datetime, actor: str) -> None:
        """Delete a run with its task instances and XComs.

        Raises:
            DagRunNotFound: there is no such run.
            NotAllowed: it is running.
        """
        with self._database.write() as connection:
            row = find_run(connection, dag_id, run_id)
            if row.state == DagRunState.RUNNING.value:
                raise NotAllowed(f"Run {run_id!r} of DAG {dag_id!r} is running: mark it first.")
            refuse_while_running(connection, dag_id, row.id)
            connection.execute(delete(dag_run).where(dag_run.c.id == row.id))
            write_events(connection, [Event("run.deleted", actor, dag_id, run_id)], now)
        self._ring("runner", "web")

    def _one(self, *conditions: Any) -> RunRow | None:
        with self._database.read() as connection:
            row = connection.execute(select(dag_run).where(*conditions)).one_or_none()
        return None if row is None else run_row(row)

    def _advance(
        self, now: datetime, dag_run_ids: Sequence[int], *, start: bool, clock: Clock | None = None
    ) -> Advanced:
        # Starting counts the active runs of all DAGs.
        with self._database.write_shortly(Locking.ALL if start else Locking.ROWS) as connection:
            lock_dags_of_runs(connection, dag_run_ids)
            settling = Settling(connection, self._versions, self._settings, now, "scheduler")
            started = settling.start_queued(None, clock) if start else []
            settling.settle([*dag_run_ids, *started])
            queued = settling.queue_following()
            write_events(connection, settling.events, settling.now)
        if settling.has_changed:
            self._ring("web")
        if queued:
            self._ring("runner")
        if settling.has_callbacks:
            self._ring("parser")
        return Advanced(
            changed=settling.has_changed,
            ended_run_ids=tuple(settling.ended_run_ids),
            started_run_ids=tuple(settling.started_run_ids),
            hints=hints_of(queued),
        )


def find_run(connection: Connection, dag_id: str, run_id: str) -> Any:
    """Return the row of one run inside a transaction.

    Raises:
        DagRunNotFound: there is none.
    """
    row = connection.execute(
        select(dag_run).where(dag_run.c.dag_id == dag_id, dag_run.c.run_id == run_id)
    ).one_or_none()
    if row is None:
        raise DagRunNotFound(dag_id, run_id)
    return row


def find_existing(connection: Connection, new: NewRun) -> str | None:
    """Return the id of the run that stands in a new one's way, or None."""
    same: Any = dag_run.c.run_id == new.run_id
    if new.logical_date is not None:
        same = or_(same, dag_run.c.logical_date == new.logical_date)
    found: str | None = connection.execute(
        select(dag_run.c.run_id).where(dag_run.c.dag_id == new.dag_id, same).limit(1)
    ).scalar()
    return found


def insert_run(
    connection: Connection,
    versions: VersionCache,
    new: NewRun,
    now: datetime,
) -> int:
    """Insert a queued run and its task instances inside the caller's transaction.

    Raises:
        DagNotFound: there is no such DAG.
    """
    version_id = connection.execute(
        select(dag.c.version_id).where(dag.c.dag_id == new.dag_id)
    ).scalar_one_or_none()
    if version_id is None:
        raise DagNotFound(new.dag_id)
    version = versions.get(connection, version_id)
    dag_run_id: int = connection.execute(
        _INSERT,
        {
            "dag_id": new.dag_id,
            "run_id": new.run_id,
            "run_type": str(new.run_type),
            "state": DagRunState.QUEUED.value,
            "logical_date": new.logical_date,
            "data_interval_start": new.data_interval_start,
            "data_interval_end": new.data_interval_end,
            "run_after": new.run_after,
            "created_at": now,
            "queued_at": now,
            "conf": None if new.conf is None else dict(new.conf),
            "triggered_by": new.triggered_by,
            "triggering_user": new.triggering_user,
            "note": new.note,
            "external_trigger": new.external_trigger,
            "version_id": version_id,
            "backfill_id": new.backfill_id,
            "backfill_ordinal": new.backfill_ordinal,
        },
    ).scalar_one()
    instances = initial_instances(version.structure, RunType(new.run_type), new.logical_date)
    create_rows(connection, dag_run_id, version, instances)
    write_deadlines(
        connection,
        version.dag,
        new.run_id,
        version_id=version_id,
        logical_date=new.logical_date,
        now=now,
    )
    return dag_run_id


def _filtered(
    statement: Select[Any],
    dag_id: str | None,
    states: Sequence[str],
    run_types: Sequence[str],
    logical_from: datetime | None,
    logical_to: datetime | None,
    run_id_part: str | None,
) -> Select[Any]:
    if dag_id is not None:
        statement = statement.where(dag_run.c.dag_id == dag_id)
    if states:
        statement = statement.where(dag_run.c.state.in_([str(state) for state in states]))
    if run_types:
        statement = statement.where(dag_run.c.run_type.in_([str(one) for one in run_types]))
    if logical_from is not None:
        statement = statement.where(dag_run.c.logical_date >= logical_from)
    if logical_to is not None:
        statement = statement.where(dag_run.c.logical_date <= logical_to)
    if run_id_part:
        statement = statement.where(dag_run.c.run_id.icontains(run_id_part, autoescape=True))
    return statement


def _is_over(at: datetime | None, now: datetime) -> bool:
    return at is not None and at <= now
