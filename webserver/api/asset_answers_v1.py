"""What version 1 of the API answers about datasets. Source: ``spec/rest-api.md`` section 6."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from .answers_v1 import Answer, CollectionInfo


class DagScheduleDatasetReference(Answer, kw_only=True):
    """A DAG that waits for a dataset."""

    dag_id: str
    created_at: datetime
    updated_at: datetime


class TaskOutletDatasetReference(Answer, kw_only=True):
    """A task that makes a dataset."""

    dag_id: str
    task_id: str
    created_at: datetime
    updated_at: datetime


class Dataset(Answer, kw_only=True):
    """A dataset, and who names it."""

    id: int
    uri: str
    extra: dict[str, Any] | None = None
    created_at: datetime
    updated_at: datetime
    consuming_dags: list[DagScheduleDatasetReference]
    producing_tasks: list[TaskOutletDatasetReference]


class DatasetCollection(CollectionInfo, kw_only=True):
    """One page of a list."""

    datasets: list[Dataset]


class BasicDAGRun(Answer, kw_only=True):
    """A run that an event made."""

    run_id: str
    dag_id: str
    logical_date: datetime
    start_date: datetime | None = None
    end_date: datetime | None = None
    data_interval_start: datetime | None = None
    data_interval_end: datetime | None = None
    state: str


class DatasetEvent(Answer, kw_only=True):
    """An update of a dataset."""

    id: int
    dataset_id: int
    dataset_uri: str
    extra: dict[str, Any] | None = None
    source_dag_id: str | None = None
    source_task_id: str | None = None
    source_run_id: str | None = None
    source_map_index: int | None = None
    created_dagruns: list[BasicDAGRun]
    timestamp: datetime


class DatasetEventCollection(CollectionInfo, kw_only=True):
    """One page of a list."""

    dataset_events: list[DatasetEvent]


class QueuedEvent(Answer, kw_only=True):
    """Updates of a dataset that wait for a run of a DAG."""

    uri: str
    dag_id: str
    created_at: datetime


class QueuedEventCollection(CollectionInfo, kw_only=True):
    """All of a list."""

    datasets: list[QueuedEvent]
