"""Plain values of assets, as they cross the store's border. Instants are aware UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class AssetRow:
    """One asset. ``is_active``: a DAG in force names it."""

    id: int
    name: str
    uri: str
    group: str
    extra: Mapping[str, Any] | None
    created_at: datetime
    is_active: bool
    last_event_at: datetime | None


@dataclass(frozen=True, slots=True)
class AssetReferenceRow:
    """Who names an asset. ``kind``: schedule, inlet or outlet; a schedule has no task."""

    dag_id: str
    kind: str
    task_id: str


@dataclass(frozen=True, slots=True)
class AssetEventRow:
    """One event. The source is None where it came from outside of any task."""

    id: int
    asset_id: int
    name: str
    uri: str
    group: str
    at: datetime
    extra: Mapping[str, Any]
    #: Aliases through which it was made.
    aliases: tuple[str, ...]
    source_dag_id: str | None
    source_run_id: str | None
    source_task_id: str | None
    source_map_index: int | None
