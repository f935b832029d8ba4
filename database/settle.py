"""Decides the runs that an event touched until nothing changes, inside one transaction.

Read, decide, write: the deciding itself is ``planning.decide``, which is pure. What ends a run
also starts the next queued ones of its DAG, so that no limit waits for a sweep.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, bindparam, select, text, update
from sqlalchemy.exc import SQLAlchemyError

from ..planning.decide import decide
from ..planning.part import decide_part
from ..planning.snapshot import Decision, MappedExpansion, Transition
from ..sdk.clock import Clock
from ..sdk.states import FINISHED, DagRunState, TaskInstanceState
from . import state_writes
from .deadline_writes import drop_deadlines
from .deferrals import defer_from_start
from .event_writes import Event, describe
from .instance_rows import expand_rows
from .outbox_writes import note_run_end
from .queueing import Queued, queue_events, queue_scheduled
from .run_starts import find_startable, start_runs
from .settings import StoreSettings
from .snapshots import LoadedRun, load_run
from .state_writes import Held, Move, RunMove
from .tables import dag_run
from .tables.runs import UNFINISHED_RUN
from .touched import Touched, is_any_on_its_way
from .versions import VersionCache

if TYPE_CHECKING:
    from .claiming import Claimer

_S = TaskInstanceState

#: More rounds than any chain of expansions of a real DAG; a loop in the rules must not hang us.
ROUNDS_MAX = 10_000

#: A run that cannot be decided is asked again after this long.
UNDECIDABLE_PAUSE = timedelta(seconds=60)

log = logging.getLogger(__name__)

_SET_TIMES = (
    update(dag_run)
    .where(dag_run.c.id == bindparam("held_id"))
    .values(
        wake_at=bindparam("new_wake_at", type_=dag_run.c.wake_at.type),
        last_decided_at=bindparam("new_decided_at", type_=dag_run.c.last_decided_at.type),
    )
)

_FOLLOWING = select(dag_run.c.id).where(
    text(f"dag_run.{UNFINISHED_RUN}"),
    dag_run.c.dag_id == bindparam("dag_id"),
    dag_run.c.state == DagRunState.RUNNING.value,
    dag_run.c.logical_date > bindparam("logical_date", type_=dag_run.c.logical_date.type),
)


class Settling:
    """One transaction's deciding: what it changed, and what has to be told."""

    def __init__(
        self,
        connection: Connection,
        versions: VersionCache,
        settings: StoreSettings,
        now: datetime,
        actor: str,
        *,
        is_careful: bool = False,
    ) -> None:
        """Prepare.

        Args:
            is_careful: a run that cannot be decided is left alone for a while, and the others go
                on. It costs a savepoint a run, so callers ask for it after a failure only.
        """
        self.connection = connection
        self.versions = versions
        self.settings = settings
        self.now = now
        self.actor = actor
        self.is_careful = is_careful
        self.events: list[Event] = []
        self.ended_run_ids: list[int] = []
        self.started_run_ids: list[int] = []
        self._touched_parts: dict[int, Touched] = {}
        #: What claims tell of the runs that were decided.
        self.told: dict[int, Mapping[str, Any]] = {}
        self.has_scheduled = False
        self.has_changed = False
        #: A timer is due earlier than before, or a limit of runs became free.
        self.concerns_scheduler = False
        #: The outbox has something for the parser to deliver.
        self.has_callbacks = False

    def settle(
        self, dag_run_ids: Iterable[int], touched_parts: Mapping[int, Touched] | None = None
    ) -> None:
        """Decide these runs, and all that they let go on.

        Args:
            touched_parts: all that was changed of some of these runs since they were decided, by
                this transaction: of a large one only what this concerns is read and asked.
        """
        self._touched_parts = dict(touched_parts or {})
        given = list(dict.fromkeys(dag_run_ids))
        waiting = deque(given)
        touched = set(given)
        ended_dag_ids: set[str] = set()
        while waiting or ended_dag_ids:
            if not waiting:
                waiting.extend(self.start_queued(ended_dag_ids))
                ended_dag_ids = set()
                continue
            dag_run_id = waiting.popleft()
            loaded, has_changed = self._settle_or_skip(dag_run_id)
            if loaded is None or not (has_changed or dag_run_id in touched):
                continue
            touched.discard(dag_run_id)
            if has_changed and loaded.snapshot.state is not DagRunState.RUNNING:
                ended_dag_ids.add(loaded.snapshot.dag_id)
            for following_id in self._following(loaded):
                if following_id not in waiting:
                    waiting.append(following_id)

    def start_queued(
        self, dag_ids: Collection[str] | None, clock: Clock | None = None
    ) -> list[int]:
        """Start queued runs where limits allow it (None: of all DAGs); return them.

        Args:
            clock: read again once it is known what may start, if given: a run whose end made room
                may have ended after this transaction's *now*, and none begins before that.
        """
        startable = find_startable(self.connection, self.now, dag_ids)
        if startable and clock is not None:
            self.now = max(self.now, clock.now())
        started = start_runs(self.connection, startable, self.now)
        for run in started:
            self.has_changed = True
            self.events.append(
                Event(
                    "state",
                    self.actor,
                    run.dag_id,
                    run.run_id,
                    detail={"run": [run.id, "queued", "running", ""]},
                )
            )
        ids = [run.id for run in started]
        self.started_run_ids.extend(ids)
        return ids

    def queue_following(
        self, *, always: bool = False, claimer: Claimer | None = None
    ) -> list[Queued]:
        """Queue under all limits what this transaction made ready; return what was queued.

        Args:
            always: also where nothing new is ready, since a slot may have become free.
            claimer: who may take some of it in the same write.
        """
        if not (always or self.has_scheduled):
            return []
        queued = queue_scheduled(
            self.connection,
            self.versions,
            self.settings,
            self.now,
            claimer,
            is_expected=self.has_scheduled,
        )
        self.has_changed = self.has_changed or bool(queued)
        self.events.extend(queue_events(queued, self.actor))
        return queued

    def _settle_or_skip(self, dag_run_id: int) -> tuple[LoadedRun | None, bool]:
        """Settle one run; a careful settling leaves one that cannot be decided alone (R14)."""
        if not self.is_careful:
            return self._settle_one(dag_run_id)
        savepoint = self.connection.begin_nested()
        events = len(self.events)
        try:
            settled = self._settle_one(dag_run_id)
        except SQLAlchemyError:
            raise
        except Exception as error:
            log.exception("dag run %s cannot be decided", dag_run_id)
            savepoint.rollback()
            del self.events[events:]
            retry_at = self.now + UNDECIDABLE_PAUSE
            self._set_times(dag_run_id, retry_at)
            self.events.append(
                Event(
                    "run.quarantined",
                    self.actor,
                    detail={"run": dag_run_id, "error": str(error), "retry_at": retry_at},
                )
            )
            return None, False
        savepoint.commit()
        return settled

    def _settle_one(self, dag_run_id: int) -> tuple[LoadedRun | None, bool]:
        """Decide one run until nothing changes; return it, and whether anything did."""
        settled = self._settle_part(dag_run_id)
        if settled is not None:
            return settled
        loaded = self._load(dag_run_id)
        if loaded is None or loaded.snapshot.state is not DagRunState.RUNNING:
            return loaded, False
        has_changed = False
        for _ in range(ROUNDS_MAX):
            decision = decide(loaded.snapshot, self.now)
            if not (decision.expansions or decision.transitions or decision.run):
                break
            has_changed = True
            self._apply(loaded, decision)
            if decision.run is not None:
                loaded = self._load(dag_run_id)
                break
            if decision.expansions:
                loaded = self._load(dag_run_id)
            elif not any(one.new is _S.NONE for one in decision.transitions):
                # One pass reaches everything below; only what is new needs another.
                break
            if loaded is None:
                break
        if loaded is None:
            return None, has_changed
        self._note_times(loaded, decision.wake_at)
        self.has_changed = self.has_changed or has_changed
        return loaded, has_changed

    def _settle_part(self, dag_run_id: int) -> tuple[LoadedRun, bool] | None:
        """Settle a large run by the part of it that was touched; None: it has to be asked whole."""
        touched = self._touched_parts.pop(dag_run_id, None)
        if touched is None:
            return None
        task_ids = touched.part_to_read(self.connection, self.versions)
        loaded = self._load(dag_run_id, task_ids) if task_ids else None
        if (
            loaded is None
            or loaded.snapshot.state is not DagRunState.RUNNING
            or loaded.last_decided_at is None
            or touched.version_ids != {loaded.told["version_id"]}
        ):
            return None
        found = decide_part(loaded.snapshot, self.now, touched.task_ids)
        if found is None:
            return None
        decision, is_moving = found
        if not is_moving and not is_any_on_its_way(self.connection, dag_run_id):
            return None  # it may have ended
        if decision.transitions:
            self._apply(loaded, decision)
            self.has_changed = True
        # One that came too early is corrected when it has come, and the whole run is asked.
        wake_ats = [at for at in (loaded.wake_at, decision.wake_at) if at is not None]
        self._note_times(loaded, min(wake_ats, default=None))
        return loaded, bool(decision.transitions)

    def _load(self, dag_run_id: int, task_ids: Sequence[str] = ()) -> LoadedRun | None:
        loaded = load_run(
            self.connection, self.versions, dag_run_id, self.settings.map_length_max, task_ids
        )
        if loaded is not None:
            self.told[dag_run_id] = loaded.told
        return loaded

    def _apply(self, loaded: LoadedRun, decision: Decision) -> None:
        detail: dict[str, Any] = {}
        if decision.expansions:
            detail["expansions"] = [[one.task_id, one.length] for one in decision.expansions]
            self._expand(loaded, decision.expansions)
        held = loaded.hold(self.connection, [one.instance_id for one in decision.transitions])
        moves = [
            self._move(held[one.instance_id], one, loaded)
            for one in decision.transitions
            # Another scheduler may have moved it since the run was read.
            if one.instance_id in held and held[one.instance_id].state is one.old
        ]
        won = state_writes.write_moves(self.connection, moves)
        if won:
            detail["changes"] = [describe(move) for move in won]
            loaded.moved(
                [move.held.task_id for move in won],
                {move.held.id: move.new for move in won},
                self.now,
            )
            self.has_scheduled = self.has_scheduled or any(move.new is _S.SCHEDULED for move in won)
        if decision.run is not None:
            detail["run"] = [
                loaded.snapshot.dag_run_id,
                loaded.snapshot.state.value,
                decision.run.new.value,
                decision.run.reason,
            ]
            self._end_run(loaded, decision.run.new, decision.run.reason)
        self.events.append(
            Event(
                "state", self.actor, loaded.snapshot.dag_id, loaded.snapshot.run_id, detail=detail
            )
        )

    def _expand(self, loaded: LoadedRun, expansions: Iterable[MappedExpansion]) -> None:
        for one in expansions:
            expand_rows(
                self.connection,
                loaded.snapshot.dag_run_id,
                loaded.version,
                one.task_id,
                one.length,
                loaded.snapshot.instances.get(one.task_id, ()),
            )

    def _move(self, held: Held, transition: Transition, loaded: LoadedRun) -> Move:
        new, reason = transition.new, transition.reason
        if new is _S.SCHEDULED:
            task = loaded.version.structure.tasks[held.task_id]
            if task.start_trigger is not None and transition.is_new_try:
                return defer_from_start(self.connection, held, task, self.now, reason)
            return state_writes.schedule(held, self.now, reason, is_new_try=transition.is_new_try)
        if new is _S.NONE:
            return state_writes.restore(held, reason)
        if new is _S.SUCCESS:  # an empty operator: it has no process
            return state_writes.finish_empty(held, self.now, reason)
        if new in FINISHED:
            return state_writes.stop(held, new, self.now, reason)
        raise NotImplementedError(f"a decision to {new} is not known")

    def _end_run(self, loaded: LoadedRun, new: DagRunState, reason: str) -> None:
        snapshot = loaded.snapshot
        has_won = state_writes.write_run_move(
            self.connection,
            RunMove(
                snapshot.dag_run_id,
                snapshot.state,
                new,
                reason,
                {"ended_at": self.now, "wake_at": None, "last_decided_at": self.now},
            ),
        )
        if has_won:
            self.ended_run_ids.append(snapshot.dag_run_id)
            # A limit of runs became free. That of a backfill is for its own runs only, which this
            # transaction starts.
            self.concerns_scheduler = self.concerns_scheduler or loaded.backfill_id is None
            wanted = "success" if new is DagRunState.SUCCESS else "failure"
            if wanted in loaded.version.dag.callbacks:
                self.has_callbacks = True
            drop_deadlines(self.connection, loaded.version.dag, snapshot.run_id, self.now)
            self.events.extend(
                note_run_end(self.connection, loaded, new, reason, self.now, self.actor)
            )

    def _note_times(self, loaded: LoadedRun, wake_at: datetime | None) -> None:
        if loaded.snapshot.state is not DagRunState.RUNNING:
            return
        if loaded.wake_at != wake_at or loaded.last_decided_at is None:
            self._set_times(loaded.snapshot.dag_run_id, wake_at)
            if wake_at is not None and (loaded.wake_at is None or wake_at < loaded.wake_at):
                self.concerns_scheduler = True

    def _set_times(self, dag_run_id: int, wake_at: datetime | None) -> None:
        self.connection.execute(
            _SET_TIMES,
            {
                "held_id": dag_run_id,
                "new_wake_at": wake_at,
                "new_decided_at": self.now,
            },
        )

    def _following(self, loaded: LoadedRun) -> list[int]:
        """Return running runs of the DAG that may wait for this one (depends_on_past)."""
        snapshot = loaded.snapshot
        if not loaded.version.past_task_ids or snapshot.logical_date is None:
            return []
        rows = self.connection.execute(
            _FOLLOWING, {"dag_id": snapshot.dag_id, "logical_date": snapshot.logical_date}
        )
        return list(rows.scalars())
