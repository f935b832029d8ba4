"""What version 2 of the API answers about assets. Source: ``spec/rest-api.md`` section 6."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from .answers_v2 import Answer


class AssetAliasResponse(Answer, kw_only=True):
    """An alias. Its number is derived of its name."""

    id: int
    name: str
    group: str


class AssetAliasCollectionResponse(Answer, kw_only=True):
    """One page of a list."""

    asset_aliases: list[AssetAliasResponse]
    total_entries: int


class DagScheduleAssetReference(Answer, kw_only=True):
    """A DAG that waits for an asset."""

    dag_id: str
    created_at: datetime
    updated_at: datetime


class TaskAssetReference(Answer, kw_only=True):
    """A task that makes, or reads, an asset."""

    dag_id: str
    task_id: str
    created_at: datetime
    updated_at: datetime


class AssetWatcherResponse(Answer, kw_only=True):
    """What watches for updates of an asset."""

    name: str
    trigger_id: int
    created_date: datetime


class LastAssetEventResponse(Answer, kw_only=True):
    """The newest update of an asset."""

    id: int | None = None
    timestamp: datetime | None = None


class AssetResponse(Answer, kw_only=True):
    """An asset, and who names it."""

    id: int
    name: str
    uri: str
    group: str
    extra: dict[str, Any] | None = None
    created_at: datetime
    updated_at: datetime
    scheduled_dags: list[DagScheduleAssetReference]
    producing_tasks: list[TaskAssetReference]
    consuming_tasks: list[TaskAssetReference]
    aliases: list[AssetAliasResponse]
    watchers: list[AssetWatcherResponse]
    last_asset_event: LastAssetEventResponse | None = None


class AssetCollectionResponse(Answer, kw_only=True):
    """One page of a list."""

    assets: list[AssetResponse]
    total_entries: int


class DagRunAssetReference(Answer, kw_only=True):
    """A run that an event went into. ``triggering``: as its last missing part."""

    run_id: str
    dag_id: str
    logical_date: datetime | None
    start_date: datetime | None
    end_date: datetime | None
    state: str
    data_interval_start: datetime | None
    data_interval_end: datetime | None
    partition_key: str | None
    triggering: bool


class AssetEventResponse(Answer, kw_only=True):
    """An update of an asset."""

    id: int
    asset_id: int
    uri: str | None = None
    name: str | None = None
    group: str | None = None
    extra: dict[str, Any] | None = None
    source_task_id: str | None = None
    source_dag_id: str | None = None
    source_run_id: str | None = None
    source_map_index: int
    created_dagruns: list[DagRunAssetReference]
    timestamp: datetime
    partition_key: str | None = None


class AssetEventCollectionResponse(Answer, kw_only=True):
    """One page of a list."""

    asset_events: list[AssetEventResponse]
    total_entries: int


class QueuedEventResponse(Answer, kw_only=True):
    """Updates of an asset that wait for a run of a DAG."""

    dag_id: str
    asset_id: int
    created_at: datetime
    dag_display_name: str


class QueuedEventCollectionResponse(Answer, kw_only=True):
    """All of a list."""

    queued_events: list[QueuedEventResponse]
    total_entries: int
