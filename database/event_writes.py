"""Writes the event log: one row for each act of a person, one for each batch of state changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from .caller import check_event, origin
from .state_writes import Move
from .tables import event

_INSERT = insert(event)
_OLDEST, _NEWEST = select(func.min(event.c.id)), select(func.max(event.c.id))


@dataclass(frozen=True, slots=True)
class Event:
    """One entry to be written. ``kind``: "state" for state changes, else the name of an act."""

    kind: str
    actor: str
    dag_id: str | None = None
    run_id: str | None = None
    task_id: str | None = None
    map_index: int | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


def write_events(connection: Connection, events: Iterable[Event], now: datetime) -> None:
    """Append entries in order; acts of people with where they came from.

    Raises:
        ForeignDag: an entry is about a DAG that the caller may not change.
    """
    entries = _joined(events)
    for one in entries:
        check_event(one)
    place = origin()
    rows = [
        {
            "at": now,
            "kind": one.kind,
            "actor": one.actor,
            "dag_id": one.dag_id,
            "run_id": one.run_id,
            "task_id": one.task_id,
            "map_index": one.map_index,
            "detail": {**one.detail, **place} if one.kind != "state" else dict(one.detail),
        }
        for one in entries
    ]
    if rows:
        connection.execute(_INSERT, rows)


def _joined(events: Iterable[Event]) -> list[Event]:
    """Return the entries with one for all changes that one actor makes in one run at once."""
    entries: list[Event] = []
    places: dict[tuple[str, str | None, str | None], int] = {}
    for one in events:
        if one.kind != "state":
            entries.append(one)
            continue
        key = (one.actor, one.dag_id, one.run_id)
        place = places.get(key)
        # What became of the run stands behind the changes of its tasks, expansions before them.
        if place is not None and "expansions" not in one.detail:
            before = entries[place].detail
            if before.keys() <= {"changes"}:
                changes = [*before.get("changes", ()), *one.detail.get("changes", ())]
                entries[place] = replace(one, detail={**one.detail, "changes": changes})
                continue
        places[key] = len(entries)
        entries.append(one)
    return entries


def trim_events(connection: Connection, events_max: int, at_once: int = 5000) -> int:
    """Remove the oldest entries beyond *events_max*, some at a time; return how many went."""
    oldest = connection.execute(_OLDEST).scalar()
    newest = connection.execute(_NEWEST).scalar()
    if oldest is None or newest is None or newest - oldest < events_max:
        return 0
    bound = min(newest - events_max, oldest + at_once)
    return connection.execute(delete(event).where(event.c.id <= bound)).rowcount


def describe(move: Move) -> list[Any]:
    """Return one change as the event log keeps it.

    [task instance id, task id, map index, old state, new state, epoch afterwards, reason]
    """
    held = move.held
    return [
        held.id,
        held.task_id,
        held.map_index,
        held.state.value,
        move.new.value,
        move.values.get("epoch", held.epoch),
        move.reason,
    ]
