"""What ``ti.xcom_pull`` makes of the XComs that were found.

The generations agree about one task. Of several tasks, and of several map indexes, Airflow 2 gives
what is there; Airflow 3 has a None in the place of what is missing. Both put the values of mapped
tasks beside those of others, not into lists of their own.

Source: semantics section 8.1, row 9 of section 11, and both releases as observed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from .not_set import is_arg_set


@dataclass(frozen=True, slots=True)
class Pull:
    """What was asked for. ``map_indexes`` None: whatever there is."""

    map_indexes: int | Sequence[int] | None
    default: Any
    is_airflow_2: bool
    decode: Callable[[Any], Any]

    def of_one(self, rows: Sequence[Any]) -> Any:
        """Return the value, or the list of values, of one task."""
        rows = _newest_run(rows)
        if self.map_indexes is None and not any(row.map_index >= 0 for row in rows):
            return self.decode(rows[0]) if rows else self.default
        values = self._values(rows)
        if isinstance(self.map_indexes, int):
            return values[0] if values else self.default
        return values

    def of_several(self, task_ids: Sequence[str], rows: Iterable[Any]) -> list[Any]:
        """Return one list of the values of several tasks, in their order."""
        by_task: dict[str, list[Any]] = {}
        for row in rows:
            by_task.setdefault(row.task_id, []).append(row)
        values = []
        for task_id in dict.fromkeys(task_ids) if self.is_airflow_2 else task_ids:
            found = self._values(_newest_run(by_task.get(task_id, [])))
            if not found and not self.is_airflow_2:
                found = [self.default]
            values += found
        return values

    def of_any(self, rows: Sequence[Any]) -> Any:
        """Return what was pushed last; *rows* begin with it (only Airflow 2 asks so)."""
        rows = _newest_run(rows)
        if self.map_indexes is None and rows and rows[0].map_index >= 0:
            return self._values(rows)
        if self.map_indexes is None or isinstance(self.map_indexes, int):
            return self.decode(rows[0]) if rows else self.default
        return self._values(rows)

    def _values(self, rows: Sequence[Any]) -> list[Any]:
        """Return the values by map index, or in the order of the indexes that were asked for."""
        if self.map_indexes is None or isinstance(self.map_indexes, int):
            return [self.decode(row) for row in sorted(rows, key=lambda row: int(row.map_index))]
        values = []
        for index in self.map_indexes:
            there = [self.decode(row) for row in rows if row.map_index == index]
            if not there and not self.is_airflow_2:
                there = [self.default]
            values += there
        return values


def read_map_indexes(map_indexes: Any) -> int | list[int] | None:
    """Return the map indexes that were asked for: one, several, or None for whatever is there."""
    if map_indexes is None or not is_arg_set(map_indexes):
        return None
    return map_indexes if isinstance(map_indexes, int) else list(map_indexes)


def _newest_run(rows: Sequence[Any]) -> list[Any]:
    return [row for row in rows if row.run_id == rows[0].run_id]
