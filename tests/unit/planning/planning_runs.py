"""Short ways to write down a DAG and how one run of it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tradewind.planning.snapshot import Decision, InstanceSnapshot, RunSnapshot
from tradewind.planning.structure import DagStructure
from tradewind.sdk.serialized import (
    Expansion,
    Length,
    SerializedDag,
    SerializedGroup,
    SerializedTask,
    SerializedTimetable,
)
from tradewind.sdk.states import DagRunState, RunType
from tradewind.sdk.states import TaskInstanceState as S

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def task(task_id: str, *upstream: str, **fields: Any) -> SerializedTask:
    """Return a task below *upstream*."""
    return SerializedTask(task_id, "PythonOperator", upstream_task_ids=list(upstream), **fields)


def over_xcom(*task_ids: str) -> Expansion:
    """Return the expansion of a task over results of others."""
    lengths = [Length("xcom", task_id=id_) for id_ in task_ids]
    return Expansion(lengths, [f"x{n}" for n in range(len(lengths))])


def over_literal(*counts: int) -> Expansion:
    """Return the expansion of a task over literals."""
    lengths = [Length("literal", count=count) for count in counts]
    return Expansion(lengths, [f"x{n}" for n in range(len(lengths))])


def structure(
    *tasks: SerializedTask, groups: Sequence[SerializedGroup] = (), **dag_fields: Any
) -> DagStructure:
    """Return the structure of a DAG made of *tasks*."""
    dag = SerializedDag(
        "d",
        "3",
        SerializedTimetable("null"),
        tasks=list(tasks),
        groups=list(groups),
        **dag_fields,
    )
    return DagStructure.from_serialized(dag)


def snapshot(
    dag: DagStructure,
    states: Mapping[str, S | Sequence[S] | Mapping[int, S]],
    *,
    instance_fields: Mapping[str, Mapping[str, Any]] | None = None,
    **fields: Any,
) -> RunSnapshot:
    """Return a run whose tasks stand as *states* says: one state, or one per map index."""
    instances: dict[str, list[InstanceSnapshot]] = {}
    number = 0
    for task_id, given in states.items():
        if isinstance(given, S):
            by_index = {-1: given}
        elif isinstance(given, Mapping):
            by_index = dict(given)
        else:
            by_index = dict(enumerate(given))
        for map_index, state in by_index.items():
            number += 1
            extra = (instance_fields or {}).get(task_id, {})
            instances.setdefault(task_id, []).append(
                InstanceSnapshot(number, task_id, map_index, state, **extra)
            )
    values: dict[str, Any] = {
        "dag_run_id": 1,
        "dag_id": "d",
        "run_id": "r",
        "run_type": RunType.MANUAL,
        "state": DagRunState.RUNNING,
        "logical_date": NOW,
        "started_at": NOW,
        "structure": dag,
        "instances": instances,
    }
    return RunSnapshot(**(values | fields))


def moves(decision: Decision) -> dict[str, S]:
    """Return the new state of each instance that moves, mapped ones as ``id[index]``."""
    return {
        t.task_id if t.map_index < 0 else f"{t.task_id}[{t.map_index}]": t.new
        for t in decision.transitions
    }
