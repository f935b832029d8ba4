"""What a stretch of the event log amounts to as metrics. Pure: values in, measurements out.

Names are Airflow's: each measurement has the name of Airflow 3, with tags, and where Airflow 2
had one with the ids in it, that one, too. Times are in milliseconds.
Source: ``spec/config.md`` section 5.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from ..sdk.states import DagRunState, TaskInstanceState

_S = TaskInstanceState

COUNTER = "counter"
TIMER = "timer"

_ENDED = frozenset({_S.SUCCESS, _S.FAILED, _S.SKIPPED})
_FAILURES = frozenset({_S.FAILED, _S.UP_FOR_RETRY})


@dataclass(frozen=True, slots=True)
class Measurement:
    """One number. ``dotted``: Airflow 2's name of it, empty where it is the same.

    ``begin_at`` and ``run_id``: of a length of time, when it began and which run it belongs to.
    """

    name: str
    kind: str
    value: float
    dotted: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    begin_at: datetime | None = None
    run_id: str = ""


@dataclass(frozen=True, slots=True)
class InstanceTimes:
    """What the log does not say about a task instance."""

    operator_name: str = ""
    queue: str = ""
    scheduled_at: datetime | None = None
    queued_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RunTimes:
    """What the log does not say about a dag run. ``operators``: name → task instances."""

    run_type: str = ""
    run_after: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    first_task_started_at: datetime | None = None
    operators: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LoggedChange:
    """One entry of the event log about changes of state, as ``event_writes.describe`` keeps it."""

    dag_id: str
    run_id: str
    detail: Mapping[str, Any]


def touched_ids(entries: Iterable[LoggedChange]) -> tuple[set[int], set[int]]:
    """Return the task instances and the dag runs whose times ``measure`` needs."""
    instances: set[int] = set()
    runs: set[int] = set()
    for entry in entries:
        for change in entry.detail.get("changes", ()):
            if _S.RUNNING in (change[3], change[4]):
                instances.add(change[0])
        run = entry.detail.get("run")
        if run:
            runs.add(run[0])
    return instances, runs


def measure(
    entries: Iterable[LoggedChange],
    instances: Mapping[int, InstanceTimes],
    runs: Mapping[int, RunTimes],
) -> list[Measurement]:
    """Return what happened in a stretch of the event log, in its order."""
    found: list[Measurement] = []
    for entry in entries:
        for change in entry.detail.get("changes", ()):
            times = instances.get(change[0], InstanceTimes())
            found.extend(
                replace(one, run_id=entry.run_id) for one in _of_change(entry.dag_id, change, times)
            )
        run = entry.detail.get("run")
        if run:
            times_of_run = runs.get(run[0], RunTimes())
            found.extend(
                replace(one, run_id=entry.run_id)
                for one in _of_run(entry.dag_id, run, times_of_run)
            )
    return found


def _of_change(dag_id: str, change: list[Any], times: InstanceTimes) -> Iterator[Measurement]:
    _, task_id, _, old, new, _, reason = change
    tags = {"dag_id": dag_id, "task_id": task_id}
    if new == _S.RUNNING:
        tags["queue"] = times.queue
        yield Measurement("ti.start", COUNTER, 1, f"ti.start.{dag_id}.{task_id}", tags)
        yield from _task_time("queued_duration", times.queued_at, times.started_at, tags)
        yield from _task_time("scheduled_duration", times.scheduled_at, times.queued_at, tags)
    elif old == _S.RUNNING:
        dotted = f"ti.finish.{dag_id}.{task_id}.{new}"
        yield Measurement("ti.finish", COUNTER, 1, dotted, {**tags, "state": new})
        yield from _of_end(new, times, tags)
        if "worker lost" in reason:
            yield Measurement(
                "task_instances_without_heartbeats_killed", COUNTER, 1, "zombies_killed", tags
            )
    elif old == _S.DEFERRED and new in (_S.SCHEDULED, _S.FAILED):
        name = "triggers.succeeded" if new == _S.SCHEDULED else "triggers.failed"
        yield Measurement(name, COUNTER, 1)
    if new == _S.REMOVED:
        yield Measurement("task_removed_from_dag", COUNTER, 1, f"task_removed_from_dag.{dag_id}")
    elif old == _S.REMOVED:
        yield Measurement("task_restored_to_dag", COUNTER, 1, f"task_restored_to_dag.{dag_id}")


def _of_end(new: str, times: InstanceTimes, tags: Mapping[str, str]) -> Iterator[Measurement]:
    operator = {"operator": times.operator_name}
    if new == _S.SUCCESS:
        yield Measurement("ti_successes", COUNTER, 1, tags=tags)
        dotted = f"operator_successes_{times.operator_name}"
        yield Measurement("operator_successes", COUNTER, 1, dotted, operator)
    elif new in _FAILURES:
        yield Measurement("ti_failures", COUNTER, 1, tags=tags)
        dotted = f"operator_failures_{times.operator_name}"
        yield Measurement("operator_failures", COUNTER, 1, dotted, operator)
    if new in _ENDED:
        yield from _task_time("duration", times.started_at, times.ended_at, tags)


def _task_time(
    what: str, begin: datetime | None, end: datetime | None, tags: Mapping[str, str]
) -> Iterator[Measurement]:
    dotted = f"dag.{tags['dag_id']}.{tags['task_id']}.{what}"
    yield from _time(f"task.{what}", begin, end, dotted, tags)


def _of_run(dag_id: str, run: list[Any], times: RunTimes) -> Iterator[Measurement]:
    _, old, new, _ = run
    tags = {"dag_id": dag_id, "run_type": times.run_type}
    if old == DagRunState.QUEUED and new == DagRunState.RUNNING:
        yield from _time(
            "dagrun.schedule_delay",
            times.run_after,
            times.started_at,
            f"dagrun.schedule_delay.{dag_id}",
            tags,
        )
        for operator, count in times.operators.items():
            dotted = f"task_instance_created_{operator}"
            yield Measurement(
                "task_instance_created", COUNTER, count, dotted, {"operator": operator}
            )
    elif new in (DagRunState.SUCCESS, DagRunState.FAILED):
        name = f"dagrun.duration.{new}"
        yield from _time(name, times.started_at, times.ended_at, f"{name}.{dag_id}", tags)
        yield from _time(
            "dagrun.first_task_scheduling_delay",
            times.run_after,
            times.first_task_started_at,
            f"dagrun.{dag_id}.first_task_scheduling_delay",
            tags,
        )


def _time(
    name: str,
    begin: datetime | None,
    end: datetime | None,
    dotted: str,
    tags: Mapping[str, str],
) -> Iterator[Measurement]:
    if begin is not None and end is not None and end >= begin:
        length_ms = (end - begin).total_seconds() * 1000
        yield Measurement(name, TIMER, length_ms, dotted, tags, begin)
