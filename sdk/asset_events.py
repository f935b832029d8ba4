"""What a task says about the assets that it produced: ``outlet_events`` of the context."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from .asset import Asset, AssetAlias, AssetNameRef, AssetRef, AssetUriRef, Dataset


class OutletEvent:
    """The event of one outlet. ``extra`` goes with it; an alias is linked to assets by ``add``."""

    def __init__(self, outlet: Any) -> None:
        self.outlet = outlet
        self.extra: dict[str, Any] = {}
        self.linked: list[tuple[Asset, dict[str, Any]]] = []

    def add(self, asset: Asset | str, extra: dict[str, Any] | None = None) -> None:
        """Link an asset to the alias: an event of the asset is made when the task succeeds.

        Args:
            asset: the asset, or its URI.
        """
        one = Dataset(asset) if isinstance(asset, str) else asset
        self.linked.append((one, dict(extra or {})))

    def __repr__(self) -> str:
        return f"<OutletEvent {self.outlet!r} extra={self.extra!r}>"


class OutletEvents:
    """``outlet_events[asset].extra = {...}``. What is no outlet of the task makes no event."""

    def __init__(self, outlets: Sequence[Any]) -> None:
        named = [one for one in outlets if isinstance(one, (Asset, AssetRef, AssetAlias))]
        self._declared = {_key(outlet): OutletEvent(outlet) for outlet in named}
        self._others: dict[Any, OutletEvent] = {}

    def __getitem__(self, outlet: Any) -> OutletEvent:
        for event in self._declared.values():
            if is_same_asset(event.outlet, outlet):
                return event
        return self._others.setdefault(_key(outlet), OutletEvent(outlet))

    def declare(self, asset: Asset) -> None:
        """Make an asset an outlet: a function that returns one has made it."""
        if not any(is_same_asset(event.outlet, asset) for event in self._declared.values()):
            self._declared[_key(asset)] = self._others.pop(_key(asset), OutletEvent(asset))

    def for_asset(self, *, name: str | None = None, uri: str | None = None) -> OutletEvent:
        """Return the event of an outlet by its name, its URI, or both."""
        return self[named_asset(name, uri)]

    def for_asset_alias(self, *, name: str) -> OutletEvent:
        """Return the event of an alias by its name."""
        return self[AssetAlias(name)]

    def __iter__(self) -> Iterator[Any]:
        return iter([event.outlet for event in self._declared.values()])

    def __len__(self) -> int:
        return len(self._declared)

    def as_results(self) -> list[dict[str, Any]]:
        """Return the events to be stored when the task has succeeded.

        An asset that was added to several aliases with the same extra makes one event.
        """
        events: list[dict[str, Any]] = []
        through_aliases: dict[Any, dict[str, Any]] = {}
        for event in self._declared.values():
            if not isinstance(event.outlet, AssetAlias):
                events.append(_event(event.outlet, event.extra))
                continue
            for asset, extra in event.linked:
                made = _event(asset, {**event.extra, **extra})
                key = (asset.name, asset.uri, json.dumps(made["extra"], default=repr))
                made = through_aliases.setdefault(key, made)
                if event.outlet.name not in made["aliases"]:
                    made["aliases"].append(event.outlet.name)
        return [*events, *through_aliases.values()]


def named_asset(name: str | None, uri: str | None) -> Asset | AssetRef:
    """Return an asset by name and URI, or a reference by one of them."""
    return Asset(name, uri) if name and uri else Asset.ref(name=name or "", uri=uri or "")


def is_same_asset(one: Any, other: Any) -> bool:
    """Tell whether two of asset, reference, alias or URI mean the same."""
    if isinstance(one, AssetAlias) or isinstance(other, AssetAlias):
        return bool(one == other)
    if isinstance(one, AssetNameRef) or isinstance(other, AssetNameRef):
        return _name_of(one) == _name_of(other) is not None
    if isinstance(one, (str, AssetUriRef)) or isinstance(other, (str, AssetUriRef)):
        return _uri_of(one) == _uri_of(other)
    return bool(one == other)


def _name_of(one: Any) -> str | None:
    return getattr(one, "name", None)


def _uri_of(one: Any) -> str | None:
    return one if isinstance(one, str) else getattr(one, "uri", None)


def _event(asset: Any, extra: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": _name_of(asset),
        "uri": _uri_of(asset),
        "group": getattr(asset, "group", "asset"),
        "extra": extra,
        "aliases": [],
    }


def _key(outlet: Any) -> Any:
    if isinstance(outlet, AssetAlias):
        return ("alias", outlet.name)
    return (_name_of(outlet), _uri_of(outlet))
