"""Calls listeners of plugins with what the parser read from the store (semantics 5.10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...sdk.asset import Asset
from ...sdk.dag_run import DagRun, to_pendulum
from ...sdk.plugins import load_plugins


class AssetEventTold:
    """One event of an asset, as ``on_asset_event_emitted`` gets it."""

    def __init__(self, row: Mapping[str, Any]) -> None:
        self.id = row.get("id")
        self.asset = Asset(
            name=row.get("name"), uri=row.get("uri"), group=row.get("group") or "asset"
        )
        self.uri = row.get("uri")
        self.extra = row.get("extra") or {}
        self.timestamp = to_pendulum(row.get("at"))
        self.source_dag_id = row.get("source_dag_id")
        self.source_task_id = row.get("source_task_id")
        self.source_run_id = row.get("source_run_id")
        self.source_map_index = row.get("source_map_index")

    def __repr__(self) -> str:
        return f"AssetEvent(uri={self.uri!r}, source={self.source_dag_id}.{self.source_task_id})"


def call_listeners(events: Sequence[Mapping[str, Any]]) -> None:
    """Call each hook in order; what a listener raises is logged."""
    listeners = load_plugins().listeners
    for event in events:
        told = dict(event)
        hook = told.pop("hook")
        if "dag_run" in told:
            row = told["dag_run"]
            told["dag_run"] = DagRun(row["dag_id"], row["run_id"], row)
        if "asset" in told:
            made = Asset(**told["asset"])
            listeners.call("on_asset_created", asset=made)
            listeners.call("on_dataset_created", dataset=made)
            continue
        if "asset_event" in told:
            emitted = AssetEventTold(told["asset_event"])
            listeners.call("on_asset_changed", asset=emitted.asset)
            listeners.call("on_dataset_changed", dataset=emitted.asset)
            listeners.call("on_asset_event_emitted", asset_event=emitted)
            continue
        listeners.call(hook, **told)
