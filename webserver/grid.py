"""The grid of a DAG: runs by tasks, groups folded, packed as one letter for each cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..database.values import RunRow
    from ..sdk.serialized import SerializedDag

#: The letter that stands for each state in a packed row; a blank: no such task instance.
LETTERS: Mapping[str, str] = {
    "failed": "f",
    "upstream_failed": "u",
    "up_for_retry": "y",
    "running": "r",
    "restarting": "t",
    "deferred": "d",
    "up_for_reschedule": "e",
    "queued": "q",
    "scheduled": "c",
    "none": ".",
    "success": "s",
    "skipped": "k",
    "removed": "x",
}
#: What stands for many: the first of these that any of them has. The table's order is this.
WORST_FIRST = tuple(LETTERS)


@dataclass(frozen=True, slots=True)
class GridRow:
    """One line of the grid. ``depth`` counts the groups around it."""

    id: str
    label: str
    depth: int
    is_group: bool
    is_mapped: bool = False
    is_removed: bool = False


def worst(states: Mapping[str, int]) -> str:
    """Return the state that stands for all of them."""
    if len(states) == 1:
        return next(state if count else "" for state, count in states.items())
    return next((state for state in WORST_FIRST if states.get(state)), "")


def grid_rows(dag: SerializedDag, seen_task_ids: Sequence[str] = ()) -> list[GridRow]:
    """Return the lines in the order of the graph, a group before its members.

    Args:
        seen_task_ids: tasks of earlier versions that runs on show still have; they come last.
    """
    groups = {group.group_id: group for group in dag.groups}
    children: dict[str, dict[str, None]] = {}
    for task in dag.tasks:
        child, parent = task.task_id, task.group_id
        children.setdefault(parent, {})[child] = None
        while parent:
            child, parent = parent, groups[parent].parent_id if parent in groups else ""
            children.setdefault(parent, {})[child] = None
    tasks = {task.task_id: task for task in dag.tasks}
    rows: list[GridRow] = []

    def add(parent: str, depth: int) -> None:
        for child in children.get(parent, ()):
            task = tasks.get(child)
            if task is not None:
                label = task.task_display_name or task.label or child
                mapped = task.expansion is not None
                rows.append(GridRow(child, label, depth, is_group=False, is_mapped=mapped))
            else:
                group = groups.get(child)
                label = (group.label if group else "") or child
                mapped = group is not None and group.expansion is not None
                rows.append(GridRow(child, label, depth, is_group=True, is_mapped=mapped))
                add(child, depth + 1)

    add("", 0)
    gone = sorted(set(seen_task_ids) - set(tasks))
    rows += [GridRow(id_, id_, 0, is_group=False, is_removed=True) for id_ in gone]
    return rows


class Column:
    """One run of the grid: task → the letter that stands for its instances in it."""

    __slots__ = ("_made", "letters")

    def __init__(self, cells: Mapping[str, Mapping[str, int]]) -> None:
        self.letters = {id_: LETTERS[worst(found)] for id_, found in cells.items() if found}
        self._made: tuple[Sequence[str], str] = ((), "")

    def text(self, order: Sequence[str]) -> str:
        """Return one letter a task, in this order; made once while the order is the same."""
        made = self._made
        if made[0] != order:
            # As one: threads share columns that are kept.
            made = order, "".join([self.letters.get(id_, " ") for id_ in order])
            self._made = made
        return made[1]


def pack(
    rows: Sequence[GridRow], runs: Sequence[RunRow], columns: Mapping[int, Column]
) -> list[str]:
    """Return one text a task line, one letter a run; group lines are left to the reader."""
    order = [row.id for row in rows if not row.is_group]
    texts = [columns[run.id].text(order) for run in runs]
    lines = map("".join, zip(*texts, strict=True)) if texts else iter([""] * len(order))
    return ["" if row.is_group else next(lines) for row in rows]


def grid_payload(
    dag: SerializedDag,
    runs: Sequence[RunRow],
    columns: Mapping[int, Column],
) -> dict[str, Any]:
    """Return all that the module of the grid draws; runs come oldest first.

    Args:
        columns: by the number of the run.
    """
    seen: set[str] = set().union(*(one.letters for one in columns.values()))
    rows = grid_rows(dag, sorted(seen))
    return {
        "dag_id": dag.dag_id,
        "letters": {letter: state for state, letter in LETTERS.items()},
        "order": "".join(LETTERS.values()),
        "rows": [
            [row.id, row.label, row.depth, int(row.is_group), int(row.is_mapped)] for row in rows
        ],
        "runs": [_run(run) for run in runs],
        "cells": pack(rows, runs, columns),
    }


def _run(run: RunRow) -> list[Any]:
    at = run.logical_date or run.run_after
    length_s = 0.0
    if run.started_at is not None and run.ended_at is not None:
        length_s = (run.ended_at - run.started_at).total_seconds()
    return [
        run.run_id,
        run.state,
        run.run_type,
        at.isoformat(timespec="seconds"),
        round(length_s, 2),
        run.started_at.isoformat(timespec="seconds") if run.started_at else None,
    ]
