"""What version 2 of the API answers about tasks, task instances and XComs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import field

from .answers_v2 import Answer, DagVersionResponse, JobResponse


class TaskDependencyResponse(Answer, kw_only=True):
    """Task dependency response."""

    name: str
    reason: str


class TaskDependencyCollectionResponse(Answer, kw_only=True):
    """One page of a list."""

    dependencies: list[TaskDependencyResponse]


class TimeDelta(Answer, kw_only=True):
    """A length of time."""

    type_: str = field(name="__type", default="TimeDelta")
    days: int
    seconds: int
    microseconds: int


class TaskResponse(Answer, kw_only=True):
    """Task response."""

    task_id: str | None
    task_display_name: str | None
    owner: str | None
    start_date: datetime | None
    end_date: datetime | None
    trigger_rule: str | None
    depends_on_past: bool
    wait_for_downstream: bool
    retries: float | None
    queue: str | None
    pool: str | None
    pool_slots: float | None
    execution_timeout: TimeDelta | None
    retry_delay: TimeDelta | None
    retry_exponential_backoff: float
    priority_weight: float | None
    weight_rule: str | None
    ui_color: str | None
    ui_fgcolor: str | None
    template_fields: list[str] | None
    downstream_task_ids: list[str] | None
    doc_md: str | None
    operator_name: str | None
    params: dict[str, Any] | None
    class_ref: dict[str, Any] | None
    is_mapped: bool | None
    extra_links: list[str]


class TaskCollectionResponse(Answer, kw_only=True):
    """One page of a list."""

    tasks: list[TaskResponse]
    total_entries: int


class TaskInstanceResponse(Answer, kw_only=True):
    """Task instance response."""

    id: str
    task_id: str
    dag_id: str
    dag_run_id: str
    map_index: int
    logical_date: datetime | None
    run_after: datetime
    start_date: datetime | None
    end_date: datetime | None
    duration: float | None
    state: str | None
    try_number: int
    max_tries: int
    task_display_name: str
    dag_display_name: str
    hostname: str | None
    unixname: str | None
    pool: str
    pool_slots: int
    queue: str | None
    priority_weight: int | None
    operator: str | None
    operator_name: str | None
    queued_when: datetime | None
    scheduled_when: datetime | None
    pid: int | None
    executor: str | None
    executor_config: str
    note: str | None
    rendered_map_index: str | None
    rendered_fields: dict[str, Any] = field(default_factory=dict)
    trigger: dict[str, Any] | None = None
    triggerer_job: JobResponse | None = None
    dag_version: DagVersionResponse | None


class TaskInstanceCollectionResponse(Answer, kw_only=True):
    """One page of a list."""

    task_instances: list[TaskInstanceResponse]
    total_entries: int | None = None
    total_entries_limit: int | None = None
    next_cursor: str | None = None
    previous_cursor: str | None = None


class TaskInstanceHistoryResponse(Answer, kw_only=True):
    """Task instance history response."""

    task_id: str
    dag_id: str
    dag_run_id: str
    map_index: int
    start_date: datetime | None
    end_date: datetime | None
    duration: float | None
    state: str | None
    try_number: int
    max_tries: int
    task_display_name: str
    dag_display_name: str
    hostname: str | None
    unixname: str | None
    pool: str
    pool_slots: int
    queue: str | None
    priority_weight: int | None
    operator: str | None
    operator_name: str | None
    queued_when: datetime | None
    scheduled_when: datetime | None
    pid: int | None
    executor: str | None
    executor_config: str
    dag_version: DagVersionResponse | None


class TaskInstanceHistoryCollectionResponse(Answer, kw_only=True):
    """One page of a list."""

    task_instances: list[TaskInstanceHistoryResponse]
    total_entries: int


class StructuredLogMessage(Answer, kw_only=True):
    """Structured log message."""

    timestamp: datetime | None = None
    event: str
    level: str | None = None
    logger: str | None = None


class TaskInstancesLogResponse(Answer, kw_only=True):
    """Task instances log response."""

    content: list[StructuredLogMessage]
    continuation_token: str | None


class XComResponse(Answer, kw_only=True):
    """XCom response."""

    key: str
    timestamp: datetime
    logical_date: datetime | None
    map_index: int
    task_id: str
    dag_id: str
    run_id: str
    dag_display_name: str
    task_display_name: str
    run_after: datetime


class XComCollectionResponse(Answer, kw_only=True):
    """One page of a list."""

    xcom_entries: list[XComResponse]
    total_entries: int


class XComResponseNative(Answer, kw_only=True):
    """XCom response native."""

    key: str
    timestamp: datetime
    logical_date: datetime | None
    map_index: int
    task_id: str
    dag_id: str
    run_id: str
    dag_display_name: str
    task_display_name: str
    run_after: datetime
    value: Any


class HITLUser(Answer, kw_only=True):
    """A person who may answer, or has."""

    id: str
    name: str


class _Question(Answer, kw_only=True):
    options: list[str]
    subject: str
    body: str | None
    defaults: list[str] | None
    multiple: bool
    params: dict[str, Any]
    assigned_users: list[HITLUser]
    created_at: datetime
    responded_by_user: HITLUser | None
    responded_at: datetime | None
    chosen_options: list[str] | None
    params_input: dict[str, Any]
    response_received: bool


class HITLDetail(_Question, kw_only=True):
    """What a task asks, and what was answered."""

    task_instance: TaskInstanceResponse


class HITLDetailCollection(Answer, kw_only=True):
    """One page of a list."""

    hitl_details: list[HITLDetail]
    total_entries: int


class HITLDetailHistory(_Question, kw_only=True):
    """What one try asked, and what was answered."""

    task_instance: TaskInstanceHistoryResponse


class HITLDetailResponse(Answer, kw_only=True):
    """An answer that was taken."""

    responded_by: HITLUser
    responded_at: datetime
    chosen_options: list[str]
    params_input: dict[str, Any]
