"""Which triggers a DAG has watch its assets, as plain data for the triggerer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .asset import Asset
from .dag import DAG
from .serialized import SerializedWatcher
from .xcom_serialization import encode


def watchers_of(dag: DAG) -> list[SerializedWatcher]:
    """Return the watchers of all assets that *dag* is scheduled on, reads or makes, each once.

    Raises:
        Exception: whatever ``serialize`` of a trigger raises, or its arguments cannot be stored.
    """
    found: dict[tuple[str, str, str, str], SerializedWatcher] = {}
    for asset in _assets(dag):
        for watcher in asset.watchers:
            class_path, arguments = watcher.trigger.serialize()
            kwargs = encode(dict(arguments), task_id=watcher.name, key="trigger")[0]
            found[asset.name, asset.uri, class_path, kwargs] = SerializedWatcher(
                asset.name, asset.uri, watcher.name, class_path, kwargs
            )
    return list(found.values())


def _assets(dag: DAG) -> Iterator[Asset]:
    if dag.timetable.asset_condition is not None:
        yield from dag.timetable.asset_condition.iter_assets()
    task: Any
    for task in dag.tasks:
        yield from (one for one in (*task.inlets, *task.outlets) if isinstance(one, Asset))
