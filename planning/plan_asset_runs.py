"""Which run the events of assets make: the condition of a schedule, and what the run covers.

Pure: the queued events of one consumer in, at most one run out. Repeated events of one asset
before the others arrive become one run; a run takes all that is queued.

Source: ``spec/semantics.md`` section 4.11, and row 24 of section 11.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from ..sdk.serialized import SerializedDag
from ..sdk.states import RunType
from .plan_runs import PlannedRun
from .run_ids import generate_run_id


@dataclass(frozen=True, slots=True)
class QueuedEvent:
    """An event that one consumer has not consumed yet.

    ``id`` grows with time. ``aliases``: all those that the asset was added to. ``is_counted``
    False: the consumer was paused then; the event goes along, and triggers nothing.
    """

    id: int
    name: str
    uri: str
    at: datetime
    aliases: frozenset[str] = frozenset()
    is_counted: bool = True
    #: What the run that made it covers; None without such a run, or where it covers nothing.
    source_interval_start: datetime | None = None
    source_interval_end: datetime | None = None


@dataclass(frozen=True, slots=True)
class PlannedAssetRun:
    """A run, and the numbers of the events that it consumes, in order."""

    run: PlannedRun
    event_ids: tuple[int, ...]


def plan_asset_run(dag: SerializedDag, events: Sequence[QueuedEvent]) -> PlannedAssetRun | None:
    """Return the run that *events* make now; None while the condition does not hold.

    An event whose asset the schedule does not name (any more) counts for nothing.
    """
    expression = dag.asset_expression
    if expression is None:
        return None
    named = [event for event in events if names_asset(expression, event)]
    counted = [event for event in named if event.is_counted]
    if not is_met(expression, counted):
        return None
    last_at = max(event.at for event in counted)
    logical_date = interval_start = interval_end = None
    if dag.dialect == "2":
        logical_date = last_at
        interval_start = min(event.source_interval_start or event.at for event in named)
        interval_end = max(event.source_interval_end or event.at for event in named)
    run = PlannedRun(
        run_id=generate_run_id(RunType.ASSET_TRIGGERED, dag.dialect, logical_date, last_at),
        run_type=RunType.ASSET_TRIGGERED,
        run_after=last_at,
        logical_date=logical_date,
        data_interval_start=interval_start,
        data_interval_end=interval_end,
    )
    return PlannedAssetRun(run, tuple(sorted(event.id for event in named)))


def later(planned: PlannedAssetRun, dag: SerializedDag) -> PlannedAssetRun:
    """Return the same run dated a microsecond later: another run of the DAG has its date."""
    run = planned.run
    if run.logical_date is None:
        return planned
    logical_date = run.logical_date + timedelta(microseconds=1)
    run_id = generate_run_id(run.run_type, dag.dialect, logical_date, run.run_after)
    return replace(planned, run=replace(run, run_id=run_id, logical_date=logical_date))


def is_met(expression: Mapping[str, Any], events: Sequence[QueuedEvent]) -> bool:
    """Tell whether a condition holds when these events have happened."""
    return _evaluate(expression, lambda leaf: any(_is_of(leaf, event) for event in events))


def names_asset(expression: Mapping[str, Any], event: QueuedEvent) -> bool:
    """Tell whether a condition names the event's asset anywhere."""
    return any(_is_of(leaf, event) for leaf in leaves(expression))


def leaves(expression: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the assets, references and aliases of a condition: ``{"asset": {…}}`` and so on."""
    for word in ("any", "all"):
        if word in expression:
            return [leaf for member in expression[word] for leaf in leaves(member)]
    return [expression]


def _evaluate(expression: Mapping[str, Any], holds: Callable[[Mapping[str, Any]], bool]) -> bool:
    if "any" in expression:
        return any(_evaluate(member, holds) for member in expression["any"])
    if "all" in expression:
        # An empty list is a schedule that waits for nothing; it must not run all the time.
        members = expression["all"]
        return bool(members) and all(_evaluate(member, holds) for member in members)
    return holds(expression)


def _is_of(leaf: Mapping[str, Any], event: QueuedEvent) -> bool:
    if "asset" in leaf:
        return bool(leaf["asset"]["name"] == event.name and leaf["asset"]["uri"] == event.uri)
    if "alias" in leaf:
        return leaf["alias"]["name"] in event.aliases
    reference = leaf.get("asset_ref", {})
    if "name" in reference:
        return bool(reference["name"] == event.name)
    return bool(reference.get("uri") == event.uri)
