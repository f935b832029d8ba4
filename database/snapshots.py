"""Reads one dag run into the plain values that ``planning.decide`` takes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, exists, func, select

from ..planning.past import PreviousRun, judge_past
from ..planning.snapshot import InstanceSnapshot, Past, RunSnapshot, SkipMark
from ..sdk.states import SCHEDULABLE, DagRunState, RunType, TaskInstanceState
from .pages import pages
from .state_writes import HELD_COLUMNS, Held, held_from
from .tables import dag_run, task_instance, xcom
from .versions import Version, VersionCache

#: What a claim tells of its run: whoever loads a run hands it on.
CLAIM_COLUMNS: Final = (
    "id",
    "dag_id",
    "run_id",
    "run_type",
    "state",
    "logical_date",
    "data_interval_start",
    "data_interval_end",
    "run_after",
    "created_at",
    "queued_at",
    "started_at",
    "ended_at",
    "conf",
    "note",
    "clear_number",
    "triggered_by",
    "triggering_user",
    "external_trigger",
    "version_id",
    "backfill_id",
)

_RUN = select(
    *(dag_run.c[name] for name in CLAIM_COLUMNS),
    dag_run.c.backfill_ordinal,
    dag_run.c.wake_at,
    dag_run.c.last_decided_at,
).where(dag_run.c.id == bindparam("dag_run_id"))

#: Only what deciding asks of every row: a wide run is read again at each of its results.
_INSTANCES = (
    select(
        task_instance.c.id,
        task_instance.c.task_id,
        task_instance.c.map_index,
        task_instance.c.state,
        task_instance.c.try_number,
        task_instance.c.tries_max,
        task_instance.c.epoch,
        task_instance.c.version_id,
    )
    .where(task_instance.c.dag_run_id == bindparam("dag_run_id"))
    .order_by(task_instance.c.task_id, task_instance.c.map_index)
)

_INSTANCES_OF_TASKS = _INSTANCES.where(
    task_instance.c.task_id.in_(bindparam("task_ids", expanding=True))
)

_DUE_TIMES = select(task_instance.c.id, task_instance.c.due_at).where(
    task_instance.c.dag_run_id == bindparam("dag_run_id"), task_instance.c.due_at.is_not(None)
)

#: fail_fast asks when a failure happened.
_FAILURES = select(task_instance.c.id, task_instance.c.ended_at).where(
    task_instance.c.dag_run_id == bindparam("dag_run_id"),
    task_instance.c.state == TaskInstanceState.FAILED.value,
)

_HELD = select(*HELD_COLUMNS).where(task_instance.c.id.in_(bindparam("ids", expanding=True)))

#: States with a due time.
_WAITING: Final = frozenset(
    {TaskInstanceState.UP_FOR_RETRY.value, TaskInstanceState.UP_FOR_RESCHEDULE.value}
)

_NONE: Final = TaskInstanceState.NONE.value
_STATE_OF: Final = {state.value: state for state in TaskInstanceState}

_RESULT_LENGTHS = select(xcom.c.task_id, xcom.c.map_index, xcom.c.length).where(
    xcom.c.dag_run_id == bindparam("dag_run_id"),
    xcom.c.task_id.in_(bindparam("task_ids", expanding=True)),
    xcom.c.key == "return_value",
)

_MARKS = select(xcom.c.task_id, xcom.c.map_index, xcom.c.value).where(
    xcom.c.dag_run_id == bindparam("dag_run_id"),
    xcom.c.task_id.in_(bindparam("task_ids", expanding=True)),
    xcom.c.key == "skipmixin_key",
)

_PREVIOUS_RUN = (
    select(dag_run.c.id, dag_run.c.logical_date)
    .where(
        dag_run.c.dag_id == bindparam("dag_id"),
        dag_run.c.logical_date < bindparam("logical_date", type_=dag_run.c.logical_date.type),
    )
    .order_by(dag_run.c.logical_date.desc())
    .limit(1)
)
_PREVIOUS_AUTOMATED_RUN = _PREVIOUS_RUN.where(dag_run.c.run_type != RunType.MANUAL.value)

_STATES = select(task_instance.c.task_id, task_instance.c.state).where(
    task_instance.c.dag_run_id == bindparam("dag_run_id"),
    task_instance.c.task_id.in_(bindparam("task_ids", expanding=True)),
)

_HAS_EARLIER = select(
    exists(
        select(task_instance.c.id)
        .join(dag_run, dag_run.c.id == task_instance.c.dag_run_id)
        .where(
            dag_run.c.dag_id == bindparam("dag_id"),
            dag_run.c.logical_date < bindparam("logical_date", type_=dag_run.c.logical_date.type),
            task_instance.c.task_id == bindparam("task_id"),
        )
    )
)

_FIRST_OF_BACKFILL = select(func.min(dag_run.c.backfill_ordinal)).where(
    dag_run.c.backfill_id == bindparam("backfill_id")
)


@dataclass(slots=True)
class LoadedRun:
    """A snapshot, and what a writer needs beside it."""

    snapshot: RunSnapshot
    version: Version
    wake_at: datetime | None
    last_decided_at: datetime | None
    backfill_id: int | None
    #: What a claim tells of its run, by ``CLAIM_COLUMNS``.
    told: Mapping[str, Any]
    #: By id: rows of ``_INSTANCES`` in state "none" that were never handed out, nor touched by a
    #: person.
    fresh: Mapping[int, Any]

    def hold(self, connection: Connection, ids: Iterable[int]) -> dict[int, Held]:
        """Return what a compare-and-set needs of these task instances.

        Of fresh ones it is known. Whether it still holds, the compare-and-set finds out.
        """
        held: dict[int, Held] = {}
        others = []
        for id_ in ids:
            row = self.fresh.get(id_)
            if row is None:
                others.append(id_)
                continue
            held[id_] = Held(
                id=id_,
                dag_run_id=self.snapshot.dag_run_id,
                task_id=row.task_id,
                map_index=row.map_index,
                state=TaskInstanceState.NONE,
                epoch=row.epoch,
                claim_id=None,
                try_number=row.try_number,
                tries_max=row.tries_max,
                started_at=None,
                first_started_at=None,
                version_id=row.version_id,
            )
        return held | _hold(connection, others) if others else held

    def moved(
        self, task_ids: Iterable[str], states: Mapping[int, TaskInstanceState], now: datetime
    ) -> None:
        """Take over states that were just written, so that nothing has to be read again."""
        changed: dict[str, list[InstanceSnapshot]] = {}
        for task_id in set(task_ids):
            changed[task_id] = [
                replace(instance, state=states[instance.id], ended_at=now)
                if instance.id in states
                else instance
                for instance in self.snapshot.instances[task_id]
            ]
        self.snapshot = replace(self.snapshot, instances={**self.snapshot.instances, **changed})


def load_run(
    connection: Connection,
    versions: VersionCache,
    dag_run_id: int,
    map_length_max: int,
    task_ids: Sequence[str] = (),
) -> LoadedRun | None:
    """Read one dag run; None: it was deleted.

    Args:
        task_ids: only the instances of these tasks; none given: all.
    """
    which = {"dag_run_id": dag_run_id}
    found = connection.execute(_RUN, which)
    if task_ids:
        found_instances = connection.execute(_INSTANCES_OF_TASKS, {**which, "task_ids": task_ids})
    else:
        found_instances = connection.execute(_INSTANCES, which)
    run = found.one_or_none()
    if run is None:
        return None
    version = versions.get(connection, run.version_id)
    failed_at: dict[int, datetime] = {}
    if version.dag.is_fail_fast:
        failures = connection.execute(_FAILURES, {"dag_run_id": dag_run_id}).all()
        failed_at = {row[0]: row[1] for row in failures}
    rows = found_instances.all()
    due_at: dict[int, datetime] = {}
    if any(row[3] in _WAITING for row in rows):
        times = connection.execute(_DUE_TIMES, {"dag_run_id": dag_run_id}).all()
        due_at = {row[0]: row[1] for row in times}
    instances: dict[str, list[InstanceSnapshot]] = {}
    for id_, task_id, map_index, state, try_number, tries_max, _, _ in rows:
        instances.setdefault(task_id, []).append(
            InstanceSnapshot(
                id_,
                task_id,
                map_index,
                _STATE_OF[state],
                try_number,
                tries_max,
                due_at.get(id_),
                failed_at.get(id_),
            )
        )
    is_running = run.state == DagRunState.RUNNING.value
    snapshot = RunSnapshot(
        dag_run_id=run.id,
        dag_id=run.dag_id,
        run_id=run.run_id,
        run_type=RunType(run.run_type),
        state=DagRunState(run.state),
        logical_date=run.logical_date,
        started_at=run.started_at,
        structure=version.structure,
        instances=instances,
        xcom_lengths=load_lengths(connection, dag_run_id, version) if is_running else {},
        skip_marks=_load_marks(connection, dag_run_id, version) if is_running else {},
        past=_load_past(connection, run, version, instances) if is_running else {},
        map_length_max=map_length_max,
    )
    told = {name: getattr(run, name) for name in CLAIM_COLUMNS}
    return LoadedRun(
        snapshot,
        version,
        run.wake_at,
        run.last_decided_at,
        run.backfill_id,
        told,
        {row[0]: row for row in rows if row.epoch == 0 and row.state == _NONE},
    )


def _hold(connection: Connection, ids: Iterable[int]) -> dict[int, Held]:
    held: dict[int, Held] = {}
    for some in pages(list(ids)):
        for row in connection.execute(_HELD, {"ids": some}).all():
            held[row[0]] = held_from(row)
    return held


def load_lengths(
    connection: Connection, dag_run_id: int, version: Version
) -> dict[str, dict[int, int]]:
    """Return how long the results are that others are mapped over (-1: no length)."""
    if not version.length_source_ids:
        return {}
    lengths: dict[str, dict[int, int]] = {}
    rows = connection.execute(
        _RESULT_LENGTHS,
        {"dag_run_id": dag_run_id, "task_ids": sorted(version.length_source_ids)},
    )
    for task_id, map_index, length in rows:
        lengths.setdefault(task_id, {})[map_index] = -1 if length is None else length
    return lengths


def _load_marks(
    connection: Connection, dag_run_id: int, version: Version
) -> dict[tuple[str, int], SkipMark]:
    if not version.marking_ids:
        return {}
    rows = connection.execute(
        _MARKS, {"dag_run_id": dag_run_id, "task_ids": sorted(version.marking_ids)}
    )
    marks: dict[tuple[str, int], SkipMark] = {}
    for task_id, map_index, value in rows:
        mark = _read_mark(value)
        if mark is not None:
            marks[task_id, map_index] = mark
    return marks


def _read_mark(value: str) -> SkipMark | None:
    """Read a ``skipmixin_key``; user code may have pushed anything under this name."""
    try:
        decoded = json.loads(value)
    except ValueError:
        return None
    if not isinstance(decoded, dict):
        return None
    followed, skipped = decoded.get("followed"), decoded.get("skipped")
    if isinstance(followed, list):
        return SkipMark(followed=frozenset(map(str, followed)))
    if isinstance(skipped, list):
        return SkipMark(skipped=frozenset(map(str, skipped)))
    return None


def _load_past(
    connection: Connection,
    run: Any,
    version: Version,
    instances: Mapping[str, list[InstanceSnapshot]],
) -> dict[str, Past]:
    asking = [
        id_
        for id_ in version.past_task_ids
        if any(one.state in SCHEDULABLE for one in instances.get(id_, ()))
    ]
    if not asking or run.logical_date is None:
        return {}
    is_catchup = version.dag.catchup
    previous = connection.execute(
        _PREVIOUS_AUTOMATED_RUN if is_catchup else _PREVIOUS_RUN,
        {"dag_id": run.dag_id, "logical_date": run.logical_date},
    ).one_or_none()
    is_first = False
    if run.backfill_id is not None:
        first = connection.execute(_FIRST_OF_BACKFILL, {"backfill_id": run.backfill_id}).scalar()
        is_first = first == run.backfill_ordinal
    past: dict[str, Past] = {}
    for task_id in asking:
        past[task_id] = judge_past(
            version.structure.tasks[task_id],
            None if previous is None else _previous(connection, run, version, previous, task_id),
            is_catchup=is_catchup,
            is_first_of_backfill=is_first,
        )
    return past


def _previous(
    connection: Connection, run: Any, version: Version, previous: Any, task_id: str
) -> PreviousRun:
    task = version.structure.tasks[task_id]
    downstream = version.structure.downstream_ids[task_id] if task.wait_for_downstream else ()
    rows = connection.execute(
        _STATES, {"dag_run_id": previous.id, "task_ids": [task_id, *downstream]}
    ).all()
    states = [TaskInstanceState(state) for id_, state in rows if id_ == task_id]
    has_earlier = bool(states)
    if not states:
        has_earlier = bool(
            connection.execute(
                _HAS_EARLIER,
                {"dag_id": run.dag_id, "logical_date": run.logical_date, "task_id": task_id},
            ).scalar()
        )
    return PreviousRun(
        logical_date=previous.logical_date,
        states=states,
        downstream_states=[TaskInstanceState(state) for id_, state in rows if id_ != task_id],
        has_earlier_instance=has_earlier,
    )
