"""Events of assets as a task sees them: those that triggered its run, and those of its inlets.

Rules: semantics sections 4.11 and 9.1. All of it is asked of the runtime when it is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, overload

from . import task_runtime
from .asset import Asset, AssetAlias, AssetNameRef, AssetUriRef
from .asset_events import is_same_asset, named_asset
from .dag_run import DagRun, to_pendulum

if TYPE_CHECKING:
    from .dag_run import TaskInstanceView


class AssetEvent:
    """One event of an asset. The source is None where it came from outside of any task."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        from .xcom_serialization import deserialize

        self.id: int = fields["id"]
        self.asset = Asset(fields["name"], fields["uri"], group=fields["group"])
        self.timestamp = to_pendulum(fields["at"])
        self.extra: dict[str, Any] = deserialize(dict(fields["extra"] or {}))
        self.source_aliases = [AssetAlias(name) for name in fields["aliases"]]
        self.source_dag_id: str | None = fields["source_dag_id"]
        self.source_task_id: str | None = fields["source_task_id"]
        self.source_run_id: str | None = fields["source_run_id"]
        index = fields["source_map_index"]
        self.source_map_index: int = -1 if index is None else index
        self.created_dagruns: list[Any] = []

    @property
    def dataset(self) -> Asset:
        """The asset, by Airflow 2's name."""
        return self.asset

    @property
    def uri(self) -> str:
        """The asset's URI."""
        return self.asset.uri

    @property
    def source_dag_run(self) -> DagRun | None:
        """The run whose task made the event."""
        if task_runtime.current is None or not (self.source_dag_id and self.source_run_id):
            return None
        found = task_runtime.current.get_dag_run(
            dag_id=self.source_dag_id, run_id=self.source_run_id
        )
        return None if found is None else DagRun(self.source_dag_id, self.source_run_id, found)

    @property
    def source_task_instance(self) -> TaskInstanceView | None:
        """The task instance that made the event."""
        run = self.source_dag_run
        if run is None or self.source_task_id is None:
            return None
        return run.get_task_instance(self.source_task_id, self.source_map_index)

    def __repr__(self) -> str:
        return f"<AssetEvent {self.asset.name!r} at {self.timestamp} extra={self.extra!r}>"


class PastEvents(Sequence[AssetEvent]):
    """The events of one asset or alias, oldest first, read when they are looked at.

    ``after``, ``before``, ``limit`` and ``ascending`` narrow them, and can be chained.
    """

    def __init__(self, wanted: Mapping[str, Any]) -> None:
        self._wanted = dict(wanted)
        self._found: list[AssetEvent] | None = None

    def after(self, at: datetime | str) -> PastEvents:
        """Only events at or after this instant."""
        return PastEvents({**self._wanted, "after": to_pendulum(at)})

    def before(self, at: datetime | str) -> PastEvents:
        """Only events at or before this instant."""
        return PastEvents({**self._wanted, "before": to_pendulum(at)})

    def limit(self, count: int) -> PastEvents:
        """At most *count* events."""
        return PastEvents({**self._wanted, "limit": int(count)})

    def ascending(self, enabled: bool = True) -> PastEvents:
        """Oldest first, or newest first."""
        return PastEvents({**self._wanted, "is_ascending": bool(enabled)})

    def _all(self) -> list[AssetEvent]:
        if self._found is None:
            self._found = _ask_events(self._wanted)
        return self._found

    @overload
    def __getitem__(self, index: int) -> AssetEvent: ...

    @overload
    def __getitem__(self, index: slice) -> list[AssetEvent]: ...

    def __getitem__(self, index: int | slice) -> AssetEvent | list[AssetEvent]:
        if index == -1 and self._found is None and "limit" not in self._wanted:
            # What is asked for most: the newest. History may be long.
            order = not self._wanted.get("is_ascending", True)
            return _ask_events({**self._wanted, "is_ascending": order, "limit": 1})[0]
        return self._all()[index]

    def __len__(self) -> int:
        return len(self._all())

    def __repr__(self) -> str:
        return repr(self._all())


class InletEvents:
    """``inlet_events[asset]``: past events of what the task reads. Takes a position, too."""

    def __init__(self, inlets: Sequence[Any]) -> None:
        self._inlets = inlets

    def __getitem__(self, inlet: Any) -> PastEvents:
        one = self._inlets[inlet] if isinstance(inlet, int) else inlet
        if isinstance(one, AssetAlias):
            return PastEvents({"alias": one.name})
        if isinstance(one, AssetNameRef):
            return PastEvents({"name": one.name})
        if isinstance(one, (str, AssetUriRef)):
            return PastEvents({"uri": one if isinstance(one, str) else one.uri})
        if isinstance(one, Asset):
            return PastEvents({"name": one.name, "uri": one.uri})
        raise KeyError(inlet)

    def for_asset(self, *, name: str | None = None, uri: str | None = None) -> PastEvents:
        """Return the events of an asset by its name, its URI, or both."""
        return self[named_asset(name, uri)]

    def for_asset_alias(self, *, name: str) -> PastEvents:
        """Return the events that were made through an alias."""
        return self[AssetAlias(name)]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._inlets)

    def __len__(self) -> int:
        return len(self._inlets)


class TriggeringEvents(Mapping[Any, list[AssetEvent]]):
    """``triggering_asset_events``: asset or alias → the events that made the run.

    What triggered nothing has no events; asking for it is no error.
    """

    def __init__(self, events: Sequence[AssetEvent]) -> None:
        self._events: dict[Any, list[AssetEvent]] = {}
        for event in events:
            for key in (event.asset, *event.source_aliases):
                self._events.setdefault(key, []).append(event)

    def __getitem__(self, key: Any) -> list[AssetEvent]:
        for asset, events in self._events.items():
            if is_same_asset(asset, key):
                return events
        return []

    def for_asset(self, *, name: str | None = None, uri: str | None = None) -> list[AssetEvent]:
        """Return the events of an asset by its name, its URI, or both."""
        return self[named_asset(name, uri)]

    def for_asset_alias(self, *, name: str) -> list[AssetEvent]:
        """Return the events that were made through an alias."""
        return self[AssetAlias(name)]

    def __contains__(self, key: object) -> bool:
        return bool(self[key])

    def __iter__(self) -> Iterator[Any]:
        return iter(self._events)

    def __len__(self) -> int:
        return len(self._events)

    def __repr__(self) -> str:
        return repr(self._events)


def triggering_events(dag_run: DagRun) -> TriggeringEvents:
    """Return the events that made a run, by asset and by alias (Airflow 3)."""
    return TriggeringEvents(events_of_run(dag_run))


def triggering_events_by_uri(dag_run: DagRun) -> dict[str, list[AssetEvent]]:
    """Return the events that made a run, by URI (Airflow 2)."""
    found: dict[str, list[AssetEvent]] = {}
    for event in events_of_run(dag_run):
        found.setdefault(event.uri, []).append(event)
    return found


def events_of_run(dag_run: DagRun) -> list[AssetEvent]:
    """Return the events that made a run; none for one that something else made."""
    if task_runtime.current is None or dag_run.run_type != "asset_triggered":
        return []
    rows = task_runtime.current.get_triggering_asset_events(
        dag_id=dag_run.dag_id, run_id=dag_run.run_id
    )
    return [AssetEvent(row) for row in rows]


def _ask_events(wanted: Mapping[str, Any]) -> list[AssetEvent]:
    if task_runtime.current is None:
        return []
    asked: dict[str, Any] = {
        "name": None,
        "uri": None,
        "alias": None,
        "after": None,
        "before": None,
        "is_ascending": True,
        "limit": None,
    }
    rows = task_runtime.current.get_asset_events(**{**asked, **wanted})
    return [AssetEvent(row) for row in rows]
