"""The timetable of a serialized DAG, where one can be had outside of its file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..sdk.timetables.registry import CustomTimetable, deserialize_timetable

if TYPE_CHECKING:
    from ..sdk.serialized import SerializedDag
    from ..sdk.timetables.base import Timetable


def find_timetable(dag: SerializedDag) -> Timetable | None:
    """Return the timetable; None for a user's own class, which only its file can answer for."""
    try:
        return deserialize_timetable(dag.timetable)
    except CustomTimetable:
        return None
