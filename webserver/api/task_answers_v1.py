"""What version 1 of the API answers about tasks, task instances and XComs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import field

from .answers_v1 import Answer, CollectionInfo, TimeDelta


class TaskInstance(Answer, kw_only=True):
    """Task instance."""

    task_id: str
    task_display_name: str
    dag_id: str
    dag_run_id: str
    execution_date: datetime
    start_date: datetime | None = None
    end_date: datetime | None = None
    duration: float | None = None
    state: str | None = None
    try_number: int
    map_index: int
    max_tries: int
    hostname: str
    unixname: str
    pool: str
    pool_slots: int
    queue: str | None = None
    priority_weight: int | None = None
    operator: str | None = None
    queued_when: str | None = None
    pid: int | None = None
    executor: str | None = None
    executor_config: str
    sla_miss: dict[str, Any] | None = None
    rendered_map_index: str | None = None
    rendered_fields: dict[str, Any]
    trigger: dict[str, Any] | None = None
    triggerer_job: dict[str, Any] | None = None
    note: str | None = None


class TaskInstanceCollection(CollectionInfo, kw_only=True):
    """One page of a list."""

    task_instances: list[TaskInstance]


class TaskInstanceHistory(Answer, kw_only=True):
    """Task instance history."""

    task_id: str
    task_display_name: str
    dag_id: str
    dag_run_id: str
    start_date: datetime | None = None
    end_date: datetime | None = None
    duration: float | None = None
    state: str | None = None
    try_number: int
    map_index: int
    max_tries: int
    hostname: str
    unixname: str
    pool: str
    pool_slots: int
    queue: str | None = None
    priority_weight: int | None = None
    operator: str | None = None
    queued_when: str | None = None
    pid: int | None = None
    executor: str | None = None
    executor_config: str


class TaskInstanceHistoryCollection(CollectionInfo, kw_only=True):
    """One page of a list."""

    task_instances_history: list[TaskInstanceHistory]


class TaskInstanceReference(Answer, kw_only=True):
    """Task instance reference."""

    task_id: str
    dag_id: str
    execution_date: datetime
    dag_run_id: str


class TaskInstanceReferenceCollection(Answer, kw_only=True):
    """One page of a list."""

    task_instances: list[TaskInstanceReference]


class XComCollectionItem(Answer, kw_only=True):
    """XCom collection item."""

    key: str
    timestamp: datetime
    execution_date: datetime
    map_index: int
    task_id: str
    dag_id: str


class XComCollection(CollectionInfo, kw_only=True):
    """One page of a list."""

    xcom_entries: list[XComCollectionItem]


class XCom(XComCollectionItem, kw_only=True):
    """XCom."""

    value: Any = None


class ClassReference(Answer, kw_only=True):
    """Class reference."""

    module_path: str
    class_name: str


class Task(Answer, kw_only=True):
    """Task."""

    class_ref: ClassReference
    task_id: str
    task_display_name: str
    owner: str
    start_date: datetime | None = None
    end_date: datetime | None = None
    trigger_rule: str
    extra_links: list[dict[str, Any]] = field(default_factory=list)
    depends_on_past: bool
    is_mapped: bool
    wait_for_downstream: bool
    retries: float
    queue: str | None = None
    executor: str | None = None
    pool: str
    pool_slots: float
    execution_timeout: TimeDelta | None = None
    retry_delay: TimeDelta | None = None
    retry_exponential_backoff: bool
    priority_weight: float
    weight_rule: str
    ui_color: str
    ui_fgcolor: str
    template_fields: list[str]
    downstream_task_ids: list[str]
    doc_md: str | None = None


class TaskCollection(Answer, kw_only=True):
    """One page of a list."""

    tasks: list[Task]


class TaskFailedDependency(Answer, kw_only=True):
    """Task failed dependency."""

    name: str
    reason: str


class TaskInstanceDependencyCollection(Answer, kw_only=True):
    """One page of a list."""

    dependencies: list[TaskFailedDependency]
