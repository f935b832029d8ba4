"""Applies the results of attempts: what a runner reports, and what a lost runner cannot.

A result counts only while its attempt still holds the task instance (state, epoch and claim).
A late one closes its history row as fenced and changes nothing else; but where a person cleared
the task instance meanwhile, it is the news that the old process is gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from itertools import takewhile
from typing import Any

from sqlalchemy import Connection, bindparam, select

from ..planning.siblings import is_success_quiet
from ..planning.verdicts import DEATHS_MAX, judge_result
from ..sdk.serialized import SerializedTask
from ..sdk.states import TaskInstanceState
from . import state_writes
from .asset_writes import NewAssetEvent, write_asset_events
from .deferrals import insert_trigger
from .event_writes import Event, describe
from .outbox_writes import wants_callback, wants_mail, write_outbox
from .siblings import needs_deciding
from .state_writes import HELD_COLUMNS, AttemptEnd, Held, Move, held_from
from .tables import attempt, dag_run, rendered_fields, task_instance
from .touched import Touched
from .upserts import insert_on_conflict
from .values import AttemptResult, Outcome
from .versions import VersionCache
from .xcom_writes import write_xcoms

_S = TaskInstanceState

#: What a runner may report. Anything else is a failure: a result must never be refused for ever.
#: Of a traceback, how much goes into the mail about it: its end.
TRACEBACK_LETTERS_MAX = 20_000

OUTCOMES = frozenset(
    {
        "success",
        "skipped",
        "failed",
        "failed_final",
        "rescheduled",
        "deferred",
        "lost",
        "absent",
        "returned",
    }
)

_HELD = (
    select(
        *HELD_COLUMNS,
        dag_run.c.dag_id,
        dag_run.c.run_id,
        dag_run.c.logical_date,
        task_instance.c.reschedule_count,
        task_instance.c.first_reschedule_at,
    )
    .join(dag_run, dag_run.c.id == task_instance.c.dag_run_id)
    .where(task_instance.c.id.in_(bindparam("ids", expanding=True)))
)

#: What a branch or a short circuit skips at once (semantics 5.5). What its own rule has let go
#: before (scheduled, queued) runs, whether or not a slot was free: else limits would decide.
_SKIPPABLE = (_S.NONE.value,)

_TO_SKIP = select(*HELD_COLUMNS).where(
    task_instance.c.dag_run_id == bindparam("dag_run_id"),
    task_instance.c.task_id.in_(bindparam("task_ids", expanding=True)),
    task_instance.c.state.in_(_SKIPPABLE),
)

#: How the latest hand-outs ended, since a person last cleared it. Those that were given back by
#: a runner that lives say nothing.
_LATEST_ENDS = (
    select(attempt.c.state)
    .where(
        attempt.c.task_instance_id == bindparam("id"),
        attempt.c.epoch < bindparam("epoch"),
        attempt.c.try_number > bindparam("tries_before"),
        attempt.c.state != "returned",
    )
    .order_by(attempt.c.epoch.desc())
    .limit(DEATHS_MAX - 1)
)

_ABSENT = (
    select(attempt.c.id)
    .where(
        attempt.c.task_instance_id == bindparam("id"),
        attempt.c.try_number == bindparam("try_number"),
        attempt.c.state == "absent",
    )
    .limit(1)
)

_CLAIMED = select(attempt.c.id).where(
    attempt.c.task_instance_id == bindparam("id"),
    attempt.c.epoch == bindparam("epoch"),
    attempt.c.claim_id == bindparam("claim_id"),
)


@dataclass(slots=True)
class Applied:
    """What a batch of results did."""

    outcomes: list[Outcome] = field(default_factory=list)
    #: Dag run id → what was changed of it: these runs have to be decided.
    touched: dict[int, Touched] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    has_scheduled: bool = False
    has_callbacks: bool = False
    has_asset_events: bool = False
    has_triggers: bool = False


class ResultWriter:
    """Applies one batch of results inside one transaction."""

    def __init__(
        self, connection: Connection, versions: VersionCache, now: datetime, actor: str
    ) -> None:
        self.connection = connection
        self.versions = versions
        self.now = now
        self.actor = actor
        self.applied = Applied()
        self._moves: list[tuple[Move, AttemptResult, Any]] = []
        self._ends: list[AttemptEnd] = []
        self._fenced: dict[int, str] = {}
        #: Successes that mean something only with those beside them: (dag run id, task id) and
        #: one of them.
        self._quiet: dict[tuple[int, str], Held] = {}

    def apply(self, results: Sequence[AttemptResult]) -> Applied:
        """Apply *results*; outcomes come in the same order."""
        rows = self._read({result.task_instance_id for result in results})
        for position, result in enumerate(results):
            self._judge(position, result, rows.get(result.task_instance_id))
        won = {
            (move.held.id, move.held.epoch)
            for move in state_writes.write_moves(self.connection, [one[0] for one in self._moves])
        }
        self._follow_up([one for one in self._moves if one[0].held.id in {id_ for id_, _ in won}])
        states = {
            move.held.id: move.new
            for move, _, _ in self._moves
            if move.held.id in {id_ for id_, _ in won}
        }
        for position, result in enumerate(results):
            is_fenced = position in self._fenced or result.task_instance_id not in states
            state = states.get(result.task_instance_id)
            if state is None and result.task_instance_id in rows:
                state = TaskInstanceState(rows[result.task_instance_id].state)
            self.applied.outcomes.append(
                Outcome(result.task_instance_id, result.epoch, state, is_fenced)
            )
            if is_fenced and position not in self._fenced:
                self._end(result, "fenced", "another writer was first")
        state_writes.end_attempts(self.connection, self._ends)
        for (dag_run_id, task_id), held in self._quiet.items():
            if needs_deciding(self.connection, dag_run_id, task_id):
                self._touch(held)
        return self.applied

    def _touch(self, held: Held, *others: str) -> None:
        touched = self.applied.touched.setdefault(held.dag_run_id, Touched())
        touched.task_ids.update((held.task_id, *others))
        touched.version_ids.add(held.version_id)

    def _read(self, ids: Iterable[int]) -> dict[int, Any]:
        found: dict[int, Any] = {}
        wanted = sorted(ids)
        for start in range(0, len(wanted), 500):
            for row in self.connection.execute(_HELD, {"ids": wanted[start : start + 500]}).all():
                found[row.id] = row
        return found

    def _judge(self, position: int, result: AttemptResult, row: Any) -> None:
        """Decide what one result means, or that it comes too late."""
        if row is None:
            self._fenced[position] = "deleted"
            return
        held = held_from(row)
        if (
            held.state is _S.RUNNING
            and held.epoch == result.epoch
            and held.claim_id == result.claim_id
        ):
            self._moves.append((self._verdict(held, result, row), result, row))
            return
        self._fenced[position] = held.state.value
        self._end(result, "fenced", f"came after the task instance went to {held.state}")
        if held.state is _S.RESTARTING and self._is_its_attempt(result):
            self._moves.append((state_writes.restart(held, "its process is gone"), result, row))

    def _is_its_attempt(self, result: AttemptResult) -> bool:
        found = self.connection.execute(
            _CLAIMED,
            {
                "id": result.task_instance_id,
                "epoch": result.epoch,
                "claim_id": result.claim_id,
            },
        )
        return found.first() is not None

    def _verdict(self, held: Held, result: AttemptResult, row: Any) -> Move:
        ended_at = result.ended_at or self.now
        version = self.versions.get(self.connection, held.version_id)
        task = version.structure.tasks.get(held.task_id) or SerializedTask(held.task_id, "")
        verdict = judge_result(
            result.outcome if result.outcome in OUTCOMES else "failed",
            dag_id=row.dag_id,
            task=task,
            try_number=held.try_number,
            tries_max=held.tries_max,
            logical_date=row.logical_date,
            ended_at=ended_at,
            due_at=result.due_at,
            has_entered=result.has_entered,
            reason=result.reason,
            deaths=self._deaths(held, task) if result.outcome == "lost" else 0,
            was_absent=result.outcome == "absent" and self._was_absent(held),
        )
        if verdict.new_state is _S.SCHEDULED:
            self._end(result, "returned" if result.outcome != "lost" else "lost", verdict.reason)
            self.applied.has_scheduled = True
            return state_writes.take_back(held, verdict.reason)
        is_looked_for_again = (
            result.outcome == "absent" and verdict.new_state is _S.UP_FOR_RESCHEDULE
        )
        state = "lost" if result.outcome == "lost" else verdict.new_state.value
        self._end(result, "absent" if is_looked_for_again else state, verdict.reason)
        values: dict[str, Any] = {
            "claim_id": None,
            "ended_at": ended_at,
            "due_at": verdict.due_at,
        }
        if is_looked_for_again:
            return Move(held, verdict.new_state, verdict.reason, values)
        values |= {"next_method": None, "next_kwargs": None, "trigger_id": None}
        if result.started_at is not None and held.started_at is None:
            values["started_at"] = result.started_at
        if result.hostname:
            values["hostname"] = result.hostname
        if result.pid is not None:
            values["pid"] = result.pid
        if result.rendered_map_index is not None:
            values["rendered_map_index"] = result.rendered_map_index[:250]
        if verdict.new_state is _S.UP_FOR_RESCHEDULE:
            values["reschedule_count"] = row.reschedule_count + 1
            values["first_reschedule_at"] = row.first_reschedule_at or held.started_at
        if verdict.new_state is _S.DEFERRED:
            self.applied.has_triggers = True
            wanted = result.trigger or {}
            values |= insert_trigger(self.connection, held, task, wanted, self.now)
        return Move(held, verdict.new_state, verdict.reason, values)

    def _was_absent(self, held: Held) -> bool:
        """Whether this try was not to be found where it was to run once before."""
        earlier = {"id": held.id, "try_number": held.try_number}
        return self.connection.execute(_ABSENT, earlier).first() is not None

    def _deaths(self, held: Held, task: SerializedTask) -> int:
        """Return how often in a row what ran it has died, this time included."""
        # A clear sets tries_max to the tries so far and the task's retries.
        tries_before = held.tries_max - max(0, task.retries)
        ends = self.connection.execute(
            _LATEST_ENDS, {"id": held.id, "epoch": held.epoch, "tries_before": tries_before}
        ).scalars()
        return 1 + sum(1 for _ in takewhile(lambda state: state == "lost", ends))

    def _end(self, result: AttemptResult, state: str, reason: str) -> None:
        self._ends.append(
            AttemptEnd(
                task_instance_id=result.task_instance_id,
                epoch=result.epoch,
                claim_id=result.claim_id,
                state=state,
                ended_at=result.ended_at or self.now,
                reason=reason or result.reason,
                started_at=result.started_at,
                exit_code=result.exit_code,
                signal=result.signal,
                hostname=result.hostname,
                pid=result.pid,
                log_path=result.log_path,
                code_hash=result.code_hash,
            )
        )

    def _follow_up(self, won: Sequence[tuple[Move, AttemptResult, Any]]) -> None:
        """Write what belongs to accepted results: XComs, skips, callbacks, events."""
        xcoms: list[dict[str, Any]] = []
        rendered: list[tuple[int, int, Mapping[str, Any]]] = []
        changes: dict[tuple[str, str], list[Any]] = {}
        for move, result, row in won:
            held = move.held
            changes.setdefault((row.dag_id, row.run_id), []).append(describe(move))
            if self._is_quiet(move, result):
                self._quiet[held.dag_run_id, held.task_id] = held
            else:
                self._touch(held, *result.skip_task_ids)
            if held.state is not _S.RUNNING:
                continue  # a restarting one: nothing else of its result counts
            xcoms.extend(
                {
                    "dag_run_id": held.dag_run_id,
                    "task_id": held.task_id,
                    "map_index": held.map_index,
                    "key": one.key,
                    "value": one.value,
                    "length": one.length,
                }
                for one in result.xcoms
            )
            if result.rendered_fields is not None:
                rendered.append((held.id, held.try_number, result.rendered_fields))
            if result.skip_task_ids and held.map_index < 0:
                changes[row.dag_id, row.run_id].extend(self._skip(held, result.skip_task_ids))
            self._leave_callback(move, result, row)
            if result.asset_events and move.new is _S.SUCCESS:
                self._write_asset_events(held, result, row)
        write_xcoms(self.connection, xcoms, self.now)
        _write_rendered(self.connection, rendered)
        self.applied.events.extend(
            Event("state", self.actor, dag_id, run_id, detail={"changes": lines})
            for (dag_id, run_id), lines in changes.items()
        )

    def _is_quiet(self, move: Move, result: AttemptResult) -> bool:
        if move.held.map_index < 0 or move.new is not _S.SUCCESS or result.skip_task_ids:
            return False
        version = self.versions.get(self.connection, move.held.version_id)
        return is_success_quiet(version.structure, move.held.task_id)

    def _skip(self, held: Held, task_ids: Sequence[str]) -> list[Any]:
        """Skip what a branch did not choose, unless it has begun."""
        rows = self.connection.execute(
            _TO_SKIP, {"dag_run_id": held.dag_run_id, "task_ids": list(task_ids)}
        ).all()
        moves = [
            state_writes.stop(held_from(row), _S.SKIPPED, self.now, f"skipped by {held.task_id}")
            for row in rows
        ]
        return [describe(move) for move in state_writes.write_moves(self.connection, moves)]

    def _write_asset_events(self, held: Held, result: AttemptResult, row: Any) -> None:
        """Write one event for each outlet, and queue it for the DAGs that wait."""
        events = [
            NewAssetEvent(
                name=one.get("name"),
                uri=one.get("uri"),
                group=one.get("group") or "asset",
                extra=one.get("extra") or {},
                aliases=tuple(one.get("aliases") or ()),
                source_dag_id=row.dag_id,
                source_run_id=row.run_id,
                source_task_id=held.task_id,
                source_map_index=held.map_index,
            )
            for one in result.asset_events
        ]
        self.applied.has_asset_events = bool(
            write_asset_events(self.connection, events, self.now) or self.applied.has_asset_events
        )

    def _leave_callback(self, move: Move, result: AttemptResult, row: Any) -> None:
        """Leave the mail about this end of a try, and callbacks that its process did not call."""
        version = self.versions.get(self.connection, move.held.version_id)
        task = version.structure.tasks.get(move.held.task_id)
        if task is None:
            return
        has_called = result.has_run_callbacks and result.outcome != "lost"
        how = "failure" if move.new is _S.FAILED else "retry"
        kinds = []
        if wants_callback(task, move.new) and not has_called:
            kinds.append(f"task_{how}_callback")
        if wants_mail(task, move.new):
            kinds.append(f"task_{how}_mail")
        for kind in kinds:
            self.applied.has_callbacks = True
            payload = {
                "run_id": row.run_id,
                "task_id": move.held.task_id,
                "map_index": move.held.map_index,
                "try_number": move.held.try_number,
                "epoch": move.held.epoch,
                "reason": move.reason,
                "relative_fileloc": version.dag.relative_fileloc,
                "task_instance_id": move.held.id,
            }
            if kind.endswith("_mail"):
                payload["traceback"] = result.traceback[-TRACEBACK_LETTERS_MAX:]
            write_outbox(self.connection, kind, row.dag_id, payload, self.now)


def keep_rendered(
    connection: Connection, task_instance_id: int, try_number: int, fields: dict[str, Any]
) -> None:
    """Replace the rendered template fields that are shown for a task instance."""
    _write_rendered(connection, [(task_instance_id, try_number, fields)])


def _write_rendered(
    connection: Connection, rendered: Sequence[tuple[int, int, Mapping[str, Any]]]
) -> None:
    if not rendered:
        return
    connection.execute(
        _rendered_upsert(connection.dialect.name),
        [
            {"task_instance_id": id_, "try_number": try_number, "fields": dict(fields)}
            for id_, try_number, fields in rendered
        ],
    )


@cache
def _rendered_upsert(dialect: str) -> Any:
    """Return the statement that leaves one row for each task instance: that of its newest try."""
    statement = insert_on_conflict(rendered_fields, dialect)
    return statement.on_conflict_do_update(
        index_elements=["task_instance_id"],
        set_={
            "try_number": statement.excluded.try_number,
            "fields": statement.excluded.fields,
        },
    )
