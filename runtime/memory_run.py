"""One dag run in memory: its task instances, what ``decide`` sees of them, and what it changes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..planning.decide import decide
from ..planning.expand import Results, argument_lengths, initial_instances
from ..planning.plan_runs import PlannedRun
from ..planning.snapshot import (
    Decision,
    InstanceSnapshot,
    MappedExpansion,
    RunSnapshot,
    SkipMark,
    Transition,
)
from ..planning.standings import Standings
from ..planning.structure import DagStructure
from ..sdk.dag_run import DagRun
from ..sdk.states import (
    FINISHED,
    SCHEDULABLE,
    DagRunState,
    TaskInstanceState,
    check_transition,
)
from ..sdk.task_instance import RuntimeTaskInstance
from .task.memory_runtime import MemoryRuntime, TaskState

_S = TaskInstanceState
_RESULT_KEY = "return_value"
_SKIP_KEY = "skipmixin_key"


@dataclass(slots=True, eq=False)
class MemoryTaskInstance:
    """One task instance of a run in memory. ``state`` is None before anything has happened."""

    id: int
    dag_run: MemoryDagRun = field(repr=False)
    task_id: str
    map_index: int
    max_tries: int
    current: TaskInstanceState = _S.NONE
    try_number: int = 0
    start_date: datetime | None = None
    end_date: datetime | None = None
    due_at: datetime | None = None
    reason: str = ""
    rendered_map_index: str | None = None
    first_reschedule_at: datetime | None = None
    reschedule_count: int = 0
    next_method: str | None = None
    next_kwargs: str | None = None

    @property
    def state(self) -> TaskInstanceState | None:
        """The state in Airflow's words: None where there is none yet."""
        return None if self.current is _S.NONE else self.current

    @property
    def dag_id(self) -> str:
        """The id of the DAG."""
        return self.dag_run.dag_id

    @property
    def run_id(self) -> str:
        """The id of the run."""
        return self.dag_run.run_id

    @property
    def duration(self) -> float | None:
        """Seconds between start and end of the last try."""
        if self.start_date is None or self.end_date is None:
            return None
        return (self.end_date - self.start_date).total_seconds()

    @property
    def label(self) -> str:
        """``task_id``, or ``task_id[map_index]`` of a mapped task."""
        return self.task_id if self.map_index < 0 else f"{self.task_id}[{self.map_index}]"

    def xcom_pull(self, task_ids: str | Iterable[str] | None = None, **arguments: Any) -> Any:
        """Return what tasks of the run have pushed, as ``ti.xcom_pull`` does inside a task."""
        reader = RuntimeTaskInstance(
            task=self.dag_run.structure.tasks[self.task_id],
            dag_run=DagRun(self.dag_id, self.run_id, self.dag_run.as_columns()),
            runtime=self.dag_run.runtime,
            map_index=self.map_index,
        )
        return reader.xcom_pull(task_ids, **arguments)


@dataclass(slots=True, eq=False, repr=False)
class MemoryDagRun:
    """One dag run in memory, as ``dag.test()`` returns it. Names are those of Airflow's DagRun."""

    structure: DagStructure
    planned: PlannedRun
    conf: dict[str, Any]
    queued_at: datetime
    start_date: datetime
    end_date: datetime | None = None
    state: DagRunState = DagRunState.RUNNING
    reason: str = ""
    #: By id, which is the place here.
    task_instances: list[MemoryTaskInstance] = field(default_factory=list)
    runtime: MemoryRuntime = field(init=False)
    _of_task: dict[str, list[MemoryTaskInstance]] = field(default_factory=dict)
    _scheduled: dict[int, MemoryTaskInstance] = field(default_factory=dict)
    #: What ``decide`` found out, and what has changed since: of this only is told anew.
    _standings: Standings = field(default_factory=Standings)
    _touched_ids: set[str] = field(default_factory=set)
    _untold_ids: set[str] = field(default_factory=set)
    _seen: dict[str, list[InstanceSnapshot]] = field(default_factory=dict)
    _lengths: dict[str, dict[int, int]] = field(default_factory=dict)
    _marks: dict[tuple[str, int], SkipMark] = field(default_factory=dict)
    _upstream_counts: dict[str, int] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<DagRun {self.planned.run_id}: {self.state}>"

    def __post_init__(self) -> None:
        """Create the task instances that the run begins with."""
        for task_id, map_index in initial_instances(
            self.structure, self.planned.run_type, self.planned.logical_date
        ):
            self._add(task_id, map_index)
        self.runtime = MemoryRuntime(self.as_columns(), self._list_states)

    # -- as a person reads it -------------------------------------------------------------------

    @property
    def dag_id(self) -> str:
        """The id of the DAG."""
        return self.structure.dag.dag_id

    @property
    def run_id(self) -> str:
        """The id of the run."""
        return self.planned.run_id

    @property
    def run_type(self) -> str:
        """Why the run exists: manual."""
        return self.planned.run_type

    @property
    def logical_date(self) -> datetime | None:
        """The instant that names the run."""
        return self.planned.logical_date

    @property
    def execution_date(self) -> datetime | None:
        """Airflow 2's name of the logical date."""
        return self.planned.logical_date

    @property
    def run_after(self) -> datetime:
        """The earliest start."""
        return self.planned.run_after

    @property
    def data_interval_start(self) -> datetime | None:
        """Where the covered length of time begins."""
        return self.planned.data_interval_start

    @property
    def data_interval_end(self) -> datetime | None:
        """Where the covered length of time ends."""
        return self.planned.data_interval_end

    def get_task_instances(
        self, state: str | Sequence[str] | None = None
    ) -> list[MemoryTaskInstance]:
        """Return the task instances, those in *state* only where one (or several) is given."""
        if state is None:
            return list(self.task_instances)
        wanted = {state} if isinstance(state, str) else set(state)
        return [one for one in self.task_instances if one.state in wanted]

    def get_task_instance(self, task_id: str, *, map_index: int = -1) -> MemoryTaskInstance | None:
        """Return one task instance, or None."""
        instances = self._of_task.get(task_id, ())
        return next((one for one in instances if one.map_index == map_index), None)

    def list_scheduled(self) -> list[MemoryTaskInstance]:
        """Return what is ready to run now, in the order of its making."""
        return [self._scheduled[id_] for id_ in sorted(self._scheduled)]

    def as_columns(self) -> dict[str, Any]:
        """Return the run as a task process is told about it: names as the columns of dag_run."""
        return {
            "id": 0,
            "dag_id": self.dag_id,
            "run_id": self.run_id,
            "run_type": self.planned.run_type.value,
            "state": self.state.value,
            "logical_date": self.logical_date,
            "data_interval_start": self.data_interval_start,
            "data_interval_end": self.data_interval_end,
            "run_after": self.run_after,
            "created_at": self.queued_at,
            "queued_at": self.queued_at,
            "started_at": self.start_date,
            "ended_at": self.end_date,
            "conf": self.conf,
            "note": None,
            "clear_number": 0,
            "triggered_by": "test",
            "triggering_user": None,
            # As Airflow: what dag.test() starts counts as made by the schedule.
            "external_trigger": False,
            "version_id": None,
            "backfill_id": None,
        }

    # -- as ``decide`` sees and changes it --------------------------------------------------------

    def decide(self, now: datetime) -> Decision:
        """Return what changes now. Only what has changed since the last time is looked at."""
        self._look_again()
        snapshot = RunSnapshot(
            dag_run_id=0,
            dag_id=self.dag_id,
            run_id=self.run_id,
            run_type=self.planned.run_type,
            state=self.state,
            logical_date=self.logical_date,
            started_at=self.start_date,
            structure=self.structure,
            instances=self._seen,
            xcom_lengths=self._lengths,
            skip_marks=self._marks,
        )
        touched_ids, self._untold_ids = self._untold_ids, set()
        return decide(snapshot, now, self._standings, touched_ids)

    def apply(self, decision: Decision, now: datetime) -> list[Transition]:
        """Change what *decision* says; return the transitions that were made."""
        for expansion in decision.expansions:
            self._expand(expansion)
        for transition in decision.transitions:
            one = self.task_instances[transition.instance_id]
            self.move(one, transition.new, transition.reason, now)
            one.try_number += transition.is_new_try
        if decision.run is not None:
            self.state, self.reason = decision.run.new, decision.run.reason
            self.end_date = now
        return list(decision.transitions)

    def move(
        self, one: MemoryTaskInstance, new: TaskInstanceState, reason: str, now: datetime
    ) -> None:
        """Put one task instance into a new state.

        Raises:
            IllegalTransition: the state cannot follow.
        """
        check_transition(one.current, new, by_user=False)
        one.current, one.reason = new, reason
        self._touched_ids.add(one.task_id)
        if new is _S.SCHEDULED:
            self._scheduled[one.id] = one
        else:
            self._scheduled.pop(one.id, None)
        if new in FINISHED:
            one.end_date = now
            one.start_date = one.start_date or now

    def skip(self, task_ids: Iterable[str], reason: str, now: datetime) -> list[MemoryTaskInstance]:
        """Skip what a branch or short circuit does not follow: only what has no state yet."""
        skipped = [
            one
            for task_id in dict.fromkeys(task_ids)
            for one in self._of_task.get(task_id, ())
            if one.current is _S.NONE
        ]
        skipped.sort(key=lambda one: one.id)
        for one in skipped:
            self.move(one, _S.SKIPPED, reason, now)
        return skipped

    def mapped_lengths(self, task_id: str) -> list[int]:
        """Return the element counts of the mapped arguments of a task; [] where not known."""
        self._look_again()
        results = Results(self.structure, self._seen, self._lengths)
        return list(argument_lengths(self.structure, task_id, results) or ())

    def upstream_counts(self) -> dict[str, int]:
        """Return how many instances each mapped task has."""
        self._look_again()
        return {task_id: count for task_id, count in self._upstream_counts.items() if count}

    # -- inside -----------------------------------------------------------------------------------

    def _add(self, task_id: str, map_index: int) -> None:
        one = MemoryTaskInstance(
            len(self.task_instances),
            self,
            task_id,
            map_index,
            max_tries=self.structure.tasks[task_id].retries,
        )
        self.task_instances.append(one)
        self._of_task.setdefault(task_id, []).append(one)
        self._touched_ids.add(task_id)

    def _expand(self, expansion: MappedExpansion) -> None:
        known = {one.map_index: one for one in self._of_task.get(expansion.task_id, ())}
        self._touched_ids.add(expansion.task_id)
        if -1 in known:
            known[-1].map_index = 0
            known[0] = known.pop(-1)
        for map_index in range(expansion.length):
            if map_index not in known:
                self._add(expansion.task_id, map_index)

    def _look_again(self) -> None:
        """Bring what ``decide`` may know up to date, where anything has changed."""
        for task_id in self._touched_ids:
            instances = self._of_task[task_id]
            self._seen[task_id] = [_snapshot(one) for one in instances]
            if self.structure.is_mapped(task_id):
                count = sum(1 for one in instances if one.current is not _S.REMOVED)
                self._upstream_counts[task_id] = count
        pushing_ids = self.runtime.pushing_task_ids
        for task_id in pushing_ids:
            self._read_xcoms(task_id)
        self._untold_ids |= self._touched_ids | pushing_ids
        self._touched_ids.clear()
        pushing_ids.clear()

    def _read_xcoms(self, task_id: str) -> None:
        task = self.structure.tasks.get(task_id)
        if task is None:
            return
        self._lengths[task_id] = lengths = {}
        if task.can_skip_downstream:
            for one in self._of_task.get(task_id, ()):
                self._marks.pop((task_id, one.map_index), None)
        for xcom in self.runtime.pushed_by(task_id):
            if xcom.key == _RESULT_KEY:
                lengths[xcom.map_index] = -1 if xcom.length is None else xcom.length
            elif xcom.key == _SKIP_KEY and task.can_skip_downstream:
                mark = _read_mark(xcom.value)
                if mark is not None:
                    self._marks[task_id, xcom.map_index] = mark

    def _list_states(self) -> list[TaskState]:
        return [
            TaskState(
                one.task_id,
                one.map_index,
                self.structure.tasks[one.task_id].group_id,
                one.current.value,
            )
            for one in self.task_instances
        ]


def _snapshot(one: MemoryTaskInstance) -> InstanceSnapshot:
    return InstanceSnapshot(
        one.id,
        one.task_id,
        one.map_index,
        one.current,
        one.try_number,
        one.max_tries,
        one.due_at if one.current in SCHEDULABLE else None,
        one.end_date,
    )


def _read_mark(text: str) -> SkipMark | None:
    """Read a ``skipmixin_key``; user code may have pushed anything under this name."""
    try:
        value = json.loads(text)
    except ValueError:
        return None
    if not isinstance(value, Mapping):
        return None
    followed, skipped = value.get("followed"), value.get("skipped")
    if isinstance(followed, list):
        return SkipMark(followed=frozenset(map(str, followed)))
    if isinstance(skipped, list):
        return SkipMark(skipped=frozenset(map(str, skipped)))
    return None
