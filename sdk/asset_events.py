"""What a task says about the assets that it produced: ``outlet_events`` of the context."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from .asset import Asset, AssetAlias, AssetRef


class OutletEvent:
    """The event of one outlet. ``extra`` goes with it; an alias is linked to assets by ``add``."""

    def __init__(self, outlet: Any) -> None:
        self.outlet = outlet
        self.extra: dict[str, Any] = {}
        self.linked: list[tuple[Asset, dict[str, Any]]] = []

    def add(self, asset: Asset, extra: dict[str, Any] | None = None) -> None:
        """Link an asset to the alias: an event of the asset is made when the task succeeds."""
        self.linked.append((asset, dict(extra or {})))


class OutletEvents:
    """``outlet_events[asset].extra = {...}``."""

    def __init__(self, outlets: Sequence[Any]) -> None:
        self._events = {_key(outlet): OutletEvent(outlet) for outlet in outlets}

    def __getitem__(self, outlet: Any) -> OutletEvent:
        return self._events.setdefault(_key(outlet), OutletEvent(outlet))

    def __iter__(self) -> Iterator[OutletEvent]:
        return iter(self._events.values())

    def __len__(self) -> int:
        return len(self._events)

    def as_results(self) -> list[dict[str, Any]]:
        """Return the events to be stored when the task has succeeded."""
        events = []
        for event in self._events.values():
            if isinstance(event.outlet, (Asset, AssetRef)):
                events.append(_event(event.outlet, event.extra, alias=None))
            alias = getattr(event.outlet, "name", None)
            for asset, extra in event.linked:
                events.append(_event(asset, {**event.extra, **extra}, alias=alias))
        return events


class InletEvents:
    """``inlet_events[asset]``: earlier events of the assets that the task reads."""

    def __init__(self, inlets: Sequence[Any]) -> None:
        self._inlets = inlets

    def __getitem__(self, inlet: Any) -> Sequence[Any]:
        return ()

    def __len__(self) -> int:
        return len(self._inlets)


def _event(asset: Any, extra: dict[str, Any], *, alias: str | None) -> dict[str, Any]:
    return {
        "name": getattr(asset, "name", None),
        "uri": getattr(asset, "uri", None),
        "group": getattr(asset, "group", "asset"),
        "extra": extra,
        "alias": alias,
    }


def _key(outlet: Any) -> Any:
    if isinstance(outlet, str):
        return ("uri", outlet)
    if isinstance(outlet, AssetAlias):
        return ("alias", outlet.name)
    return ("uri", getattr(outlet, "uri", None) or getattr(outlet, "name", None))
