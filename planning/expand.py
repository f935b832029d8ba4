"""How many instances a task has in one dag run.

A length is an expression over what upstream tasks returned (``sdk.serialized.Length``). One made
of literals is known when the run is created; any other leaves one placeholder (map index -1)
until the tasks that it asks have finished. Source: ``spec/semantics.md`` sections 3.5 and 3.6.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from math import prod

from ..sdk.serialized import Expansion, Length, SerializedTask
from ..sdk.states import FINISHED, RunType, TaskInstanceState
from .snapshot import InstanceSnapshot
from .structure import DagStructure


class NoLength(Enum):
    """Why a length is not a number."""

    WAITING = "waiting"  # a task that it asks has not finished
    MISSING = "missing"  # a task that it asks left nothing that can be counted


@dataclass(frozen=True, slots=True)
class Results:
    """What is known of the results of one dag run (see ``RunSnapshot``)."""

    structure: DagStructure
    instances: Mapping[str, Sequence[InstanceSnapshot]]
    xcom_lengths: Mapping[str, Mapping[int, int]]

    def length_of(self, task_id: str) -> int | NoLength:
        """Return how many elements the result of *task_id* has.

        A mapped task counts one for each instance that pushed a value, once all have finished.
        """
        instances = self.instances.get(task_id, ())
        pushed = self.xcom_lengths.get(task_id, {})
        if any(instance.state not in FINISHED for instance in instances):
            return NoLength.WAITING
        is_expanded = any(instance.map_index >= 0 for instance in instances)
        if is_expanded:
            gone = TaskInstanceState.REMOVED
            return sum(
                1
                for instance in instances
                if instance.map_index in pushed and instance.state is not gone
            )
        length = pushed.get(-1, -1)
        return length if length >= 0 else NoLength.MISSING


def measure(length: Length, results: Results | None) -> int | NoLength:
    """Return the value of one length expression. Without *results* only literals are known."""
    if length.operator == "literal":
        return length.count
    if length.operator == "xcom":
        return NoLength.WAITING if results is None else results.length_of(length.task_id)
    operands: list[int] = []
    for operand in length.operands:
        value = measure(operand, results)
        if isinstance(value, NoLength):
            return value
        operands.append(value)
    if length.operator == "concat":
        return sum(operands)
    if length.operator == "zip":
        return (max if length.is_filled else min)(operands, default=0)
    raise ValueError(f"unknown length operator {length.operator!r}")


def measure_all(parts: Sequence[Expansion], results: Results | None) -> list[int] | NoLength:
    """Return the lengths of all mapped arguments of *parts*, in order."""
    lengths: list[int] = []
    for part in parts:
        for length in part.lengths:
            value = measure(length, results)
            if isinstance(value, NoLength):
                return value
            lengths.append(value)
    return lengths


def count_instances(
    structure: DagStructure, task_id: str, results: Results | None
) -> int | NoLength:
    """Return how many instances a mapped task has: the product of all its lengths."""
    lengths = measure_all(structure.expansions[task_id], results)
    return lengths if isinstance(lengths, NoLength) else prod(lengths)


def argument_lengths(
    structure: DagStructure, task_id: str, results: Results
) -> tuple[int, ...] | None:
    """Return the lengths of the mapped arguments of a task, its groups' first; None: not known.

    A map index counts through their product, the last argument fastest.
    """
    lengths = measure_all(structure.expansions[task_id], results)
    return None if isinstance(lengths, NoLength) else tuple(lengths)


def is_due(
    structure: DagStructure,
    task: SerializedTask,
    run_type: RunType,
    logical_date: datetime | None,
) -> bool:
    """Tell whether a run has instances of *task*: its dates hold the logical date.

    A backfill, and a run without logical date, has instances of every task (semantics 4.6).
    """
    if run_type is RunType.BACKFILL or logical_date is None:
        return True
    if task.start_at is not None and logical_date < task.start_at:
        return False
    return task.end_at is None or logical_date <= task.end_at


def initial_instances(
    structure: DagStructure, run_type: RunType, logical_date: datetime | None
) -> list[tuple[str, int]]:
    """Return (task id, map index) of the instances that a new run begins with.

    In topological order. A task that maps literals has all its instances at once; any other
    mapped one, and one with nothing to map, a placeholder with map index -1.
    """
    found: list[tuple[str, int]] = []
    for task_id, task in structure.tasks.items():
        if not is_due(structure, task, run_type, logical_date):
            continue
        count: int | NoLength = 0
        if structure.expansions[task_id]:
            count = count_instances(structure, task_id, None)
        if isinstance(count, NoLength) or count == 0:
            found.append((task_id, -1))
        else:
            found.extend((task_id, map_index) for map_index in range(count))
    return found
