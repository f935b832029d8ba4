"""What version 1 of the API answers, field by field. Source: ``spec/rest-api.md`` section 6."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct, field


class Answer(Struct, kw_only=True):
    """A JSON object of an answer."""


class TimeDelta(Answer, kw_only=True):
    """A length of time."""

    type_: str = field(name="__type", default="TimeDelta")
    days: int
    seconds: int
    microseconds: int


class CollectionInfo(Answer, kw_only=True):
    """One page of a list."""

    total_entries: int


class ConnectionCollectionItem(Answer, kw_only=True):
    """Connection collection item."""

    connection_id: str
    conn_type: str
    description: str | None = None
    host: str | None = None
    login: str | None = None
    schema: str | None = None
    port: int | None = None


class ConnectionCollection(CollectionInfo, kw_only=True):
    """One page of a list."""

    connections: list[ConnectionCollectionItem]


class Connection(ConnectionCollectionItem, kw_only=True):
    """Connection."""

    extra: str | None = None


class Tag(Answer, kw_only=True):
    """Tag."""

    name: str


class DAG(Answer, kw_only=True):
    """Dag."""

    dag_id: str
    dag_display_name: str
    root_dag_id: str | None = None
    is_paused: bool | None = None
    is_active: bool | None = None
    is_subdag: bool
    last_parsed_time: datetime | None = None
    last_pickled: datetime | None = None
    last_expired: datetime | None = None
    scheduler_lock: bool | None = None
    pickle_id: str | None = None
    default_view: str | None = None
    fileloc: str
    file_token: str
    owners: list[str]
    description: str | None = None
    schedule_interval: dict[str, Any] | None = None
    timetable_description: str | None = None
    tags: list[Tag]
    max_active_tasks: int | None = None
    max_active_runs: int | None = None
    has_task_concurrency_limits: bool | None = None
    has_import_errors: bool | None = None
    next_dagrun: datetime | None = None
    next_dagrun_data_interval_start: datetime | None = None
    next_dagrun_data_interval_end: datetime | None = None
    next_dagrun_create_after: datetime | None = None
    max_consecutive_failed_dag_runs: int | None = None


class DAGCollection(CollectionInfo, kw_only=True):
    """One page of a list."""

    dags: list[DAG]


class DAGDetail(DAG, kw_only=True):
    """Dag detail."""

    timezone: str
    catchup: bool | None = None
    orientation: str | None = None
    concurrency: float | None = None
    start_date: datetime | None = None
    dag_run_timeout: TimeDelta | None = None
    dataset_expression: dict[str, Any] | None = None
    doc_md: str | None = None
    default_view: str | None = None
    params: dict[str, Any]
    end_date: datetime | None = None
    is_paused_upon_creation: bool | None = None
    last_parsed: datetime | None = None
    template_search_path: list[str]
    render_template_as_native_obj: bool | None = None


class DAGRun(Answer, kw_only=True):
    """Dag run."""

    dag_run_id: str | None = None
    dag_id: str
    logical_date: datetime | None = None
    execution_date: datetime | None = None
    start_date: datetime | None = None
    end_date: datetime | None = None
    data_interval_start: datetime | None = None
    data_interval_end: datetime | None = None
    last_scheduling_decision: datetime | None = None
    run_type: str
    state: str
    external_trigger: bool
    conf: dict[str, Any]
    note: str | None = None


class DAGRunCollection(CollectionInfo, kw_only=True):
    """One page of a list."""

    dag_runs: list[DAGRun]


class DagStatsStateCollectionItem(Answer, kw_only=True):
    """Dag stats state collection item."""

    state: str
    count: int


class DagStatsCollectionItem(Answer, kw_only=True):
    """Dag stats collection item."""

    dag_id: str
    stats: list[DagStatsStateCollectionItem]


class DagStatsCollectionSchema(CollectionInfo, kw_only=True):
    """One page of a list."""

    dags: list[DagStatsCollectionItem]


class EventLog(Answer, kw_only=True):
    """Event log."""

    event_log_id: int
    when: datetime
    dag_id: str | None = None
    task_id: str | None = None
    run_id: str | None = None
    map_index: int | None = None
    try_number: int | None = None
    event: str
    execution_date: datetime | None = None
    owner: str | None = None
    extra: str | None = None


class EventLogCollection(CollectionInfo, kw_only=True):
    """One page of a list."""

    event_logs: list[EventLog]


class ImportErrorItem(Answer, kw_only=True):
    """Import error item."""

    import_error_id: int
    timestamp: datetime
    filename: str
    stack_trace: str


class ImportErrorCollection(CollectionInfo, kw_only=True):
    """One page of a list."""

    import_errors: list[ImportErrorItem]


class MetadatabaseStatus(Answer, kw_only=True):
    """Metadatabase status."""

    status: str | None = None


class SchedulerStatus(Answer, kw_only=True):
    """Scheduler status."""

    status: str | None = None
    latest_scheduler_heartbeat: datetime | None = None


class TriggererStatus(Answer, kw_only=True):
    """Triggerer status."""

    status: str | None = None
    latest_triggerer_heartbeat: datetime | None = None


class DagProcessorStatus(Answer, kw_only=True):
    """Dag processor status."""

    status: str | None = None
    latest_dag_processor_heartbeat: datetime | None = None


class HealthInfo(Answer, kw_only=True):
    """Health info."""

    metadatabase: MetadatabaseStatus
    scheduler: SchedulerStatus
    triggerer: TriggererStatus
    dag_processor: DagProcessorStatus


class Pool(Answer, kw_only=True):
    """Pool."""

    name: str
    slots: int
    occupied_slots: int
    running_slots: int
    queued_slots: int
    open_slots: int
    scheduled_slots: int
    deferred_slots: int
    description: str | None = None
    include_deferred: bool


class PoolCollection(CollectionInfo, kw_only=True):
    """One page of a list."""

    pools: list[Pool]


class Provider(Answer, kw_only=True):
    """Provider."""

    package_name: str
    description: str
    version: str


class ProviderCollection(Answer, kw_only=True):
    """One page of a list."""

    providers: list[Provider]


class VariableCollectionItem(Answer, kw_only=True):
    """Variable collection item."""

    key: str
    description: str | None = None


class VariableCollection(CollectionInfo, kw_only=True):
    """One page of a list."""

    variables: list[VariableCollectionItem]


class Variable(VariableCollectionItem, kw_only=True):
    """Variable."""

    value: str


class ConfigOption(Answer, kw_only=True):
    """Config option."""

    key: str
    value: str


class ConfigSection(Answer, kw_only=True):
    """Config section."""

    name: str
    options: list[ConfigOption]


class Config(Answer, kw_only=True):
    """Config."""

    sections: list[ConfigSection]


class VersionInfo(Answer, kw_only=True):
    """Version info."""

    version: str
    git_version: str | None = None


class UserCollectionItem(Answer, kw_only=True):
    """User collection item."""

    first_name: str
    last_name: str
    username: str
    email: str
    active: bool | None = None
    last_login: datetime | None = None
    login_count: int | None = None
    failed_login_count: int | None = None
    roles: list[dict[str, Any]] = field(default_factory=list)
    created_on: datetime | None = None
    changed_on: datetime | None = None


class UserCollection(CollectionInfo, kw_only=True):
    """One page of a list."""

    users: list[UserCollectionItem]
