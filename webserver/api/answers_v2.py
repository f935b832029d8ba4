"""What version 2 of the API answers, field by field. Source: ``spec/rest-api.md`` section 6."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct


class Answer(Struct, kw_only=True):
    """A JSON object of an answer."""


class BackfillResponse(Answer, kw_only=True):
    """Backfill response."""

    id: int
    dag_id: str
    from_date: datetime
    to_date: datetime
    dag_run_conf: dict[str, Any] | None
    is_paused: bool
    reprocess_behavior: str
    max_active_runs: int
    created_at: datetime
    completed_at: datetime | None
    updated_at: datetime
    dag_display_name: str


class BackfillCollectionResponse(Answer, kw_only=True):
    """One page of a list."""

    backfills: list[BackfillResponse]
    total_entries: int


class DryRunBackfillResponse(Answer, kw_only=True):
    """Dry run backfill response."""

    logical_date: datetime | None
    partition_key: str | None
    partition_date: datetime | None


class DryRunBackfillCollectionResponse(Answer, kw_only=True):
    """One page of a list."""

    backfills: list[DryRunBackfillResponse]
    total_entries: int


class ConfigOption(Answer, kw_only=True):
    """Config option."""

    key: str
    value: str | list[Any]


class ConfigSection(Answer, kw_only=True):
    """Config section."""

    name: str
    options: list[ConfigOption]


class Config(Answer, kw_only=True):
    """Config."""

    sections: list[ConfigSection]


class ConnectionResponse(Answer, kw_only=True):
    """Connection response."""

    connection_id: str
    conn_type: str
    description: str | None
    host: str | None
    login: str | None
    schema: str | None
    port: int | None
    password: str | None
    extra: str | None
    team_name: str | None


class ConnectionCollectionResponse(Answer, kw_only=True):
    """One page of a list."""

    connections: list[ConnectionResponse]
    total_entries: int


class DagTagResponse(Answer, kw_only=True):
    """Dag tag response."""

    name: str
    dag_id: str
    dag_display_name: str


class DagVersionResponse(Answer, kw_only=True):
    """Dag version response."""

    id: str
    version_number: int
    dag_id: str
    bundle_name: str | None
    bundle_version: str | None
    created_at: datetime
    dag_display_name: str
    bundle_url: str | None


class DAGResponse(Answer, kw_only=True):
    """Dag response."""

    dag_id: str
    dag_display_name: str
    is_paused: bool
    is_stale: bool
    last_parsed_time: datetime | None
    last_parse_duration: float | None
    last_expired: datetime | None
    bundle_name: str | None
    bundle_version: str | None
    relative_fileloc: str | None
    fileloc: str
    description: str | None
    timetable_summary: str | None
    timetable_description: str | None
    timetable_partitioned: bool
    timetable_periodic: bool
    tags: list[DagTagResponse]
    max_active_tasks: int
    max_active_runs: int | None
    max_consecutive_failed_dag_runs: int
    has_task_concurrency_limits: bool
    has_import_errors: bool
    next_dagrun_logical_date: datetime | None
    next_dagrun_data_interval_start: datetime | None
    next_dagrun_data_interval_end: datetime | None
    next_dagrun_run_after: datetime | None
    allowed_run_types: list[str] | None
    owners: list[str]
    is_backfillable: bool
    file_token: str


class DAGDetailsResponse(Answer, kw_only=True):
    """Dag details response."""

    dag_id: str
    dag_display_name: str
    is_paused: bool
    is_stale: bool
    last_parsed_time: datetime | None
    last_parse_duration: float | None
    last_expired: datetime | None
    bundle_name: str | None
    bundle_version: str | None
    relative_fileloc: str | None
    fileloc: str
    description: str | None
    timetable_summary: str | None
    timetable_description: str | None
    timetable_partitioned: bool
    timetable_periodic: bool
    tags: list[DagTagResponse]
    max_active_tasks: int
    max_active_runs: int | None
    max_consecutive_failed_dag_runs: int
    has_task_concurrency_limits: bool
    has_import_errors: bool
    next_dagrun_logical_date: datetime | None
    next_dagrun_data_interval_start: datetime | None
    next_dagrun_data_interval_end: datetime | None
    next_dagrun_run_after: datetime | None
    allowed_run_types: list[str] | None
    owners: list[str]
    catchup: bool
    dag_run_timeout: str | None
    asset_expression: dict[str, Any] | None
    doc_md: str | None
    start_date: datetime | None
    end_date: datetime | None
    is_paused_upon_creation: bool | None
    params: dict[str, Any] | None
    render_template_as_native_obj: bool
    template_search_path: list[str] | None
    timezone: str | None
    last_parsed: datetime | None
    default_args: dict[str, Any] | None
    rerun_with_latest_version: bool | None = None
    owner_links: dict[str, Any] | None = None
    is_favorite: bool = False
    active_runs_count: int = 0
    is_backfillable: bool
    file_token: str
    concurrency: int
    latest_dag_version: DagVersionResponse | None


class DAGCollectionResponse(Answer, kw_only=True):
    """One page of a list."""

    dags: list[DAGResponse]
    total_entries: int


class DAGRunResponse(Answer, kw_only=True):
    """Dag run response."""

    dag_run_id: str
    dag_id: str
    logical_date: datetime | None
    queued_at: datetime | None
    start_date: datetime | None
    end_date: datetime | None
    duration: float | None
    data_interval_start: datetime | None
    data_interval_end: datetime | None
    run_after: datetime
    last_scheduling_decision: datetime | None
    run_type: str
    state: str
    triggered_by: str | None
    triggering_user_name: str | None
    conf: dict[str, Any] | None
    note: str | None
    dag_versions: list[DagVersionResponse]
    bundle_version: str | None
    dag_display_name: str
    partition_key: str | None
    partition_date: datetime | None


class DAGRunCollectionResponse(Answer, kw_only=True):
    """One page of a list."""

    dag_runs: list[DAGRunResponse]
    total_entries: int | None = None
    total_entries_limit: int | None = None
    next_cursor: str | None = None
    previous_cursor: str | None = None


class DAGSourceResponse(Answer, kw_only=True):
    """Dag source response."""

    content: str | None
    dag_id: str
    version_number: int | None
    dag_display_name: str


class DAGTagCollectionResponse(Answer, kw_only=True):
    """One page of a list."""

    tags: list[str]
    total_entries: int


class DAGVersionCollectionResponse(Answer, kw_only=True):
    """One page of a list."""

    dag_versions: list[DagVersionResponse]
    total_entries: int


class DagStatsStateResponse(Answer, kw_only=True):
    """Dag stats state response."""

    state: str
    count: int


class DagStatsResponse(Answer, kw_only=True):
    """Dag stats response."""

    dag_id: str
    dag_display_name: str
    stats: list[DagStatsStateResponse]


class DagStatsCollectionResponse(Answer, kw_only=True):
    """One page of a list."""

    dags: list[DagStatsResponse]
    total_entries: int


class EventLogResponse(Answer, kw_only=True):
    """Event log response."""

    event_log_id: int
    when: datetime
    dag_id: str | None
    task_id: str | None
    run_id: str | None
    map_index: int | None
    try_number: int | None
    event: str
    logical_date: datetime | None
    owner: str | None
    extra: str | None
    dag_display_name: str | None = None
    task_display_name: str | None = None


class EventLogCollectionResponse(Answer, kw_only=True):
    """One page of a list."""

    event_logs: list[EventLogResponse]
    total_entries: int


class BaseInfoResponse(Answer, kw_only=True):
    """Base info response."""

    status: str | None


class SchedulerInfoResponse(Answer, kw_only=True):
    """Scheduler info response."""

    status: str | None
    latest_scheduler_heartbeat: str | None


class TriggererInfoResponse(Answer, kw_only=True):
    """Triggerer info response."""

    status: str | None
    latest_triggerer_heartbeat: str | None


class DagProcessorInfoResponse(Answer, kw_only=True):
    """Dag processor info response."""

    status: str | None
    latest_dag_processor_heartbeat: str | None


class HealthInfoResponse(Answer, kw_only=True):
    """Health info response."""

    metadatabase: BaseInfoResponse
    scheduler: SchedulerInfoResponse
    triggerer: TriggererInfoResponse
    dag_processor: DagProcessorInfoResponse | None = None


class ImportErrorResponse(Answer, kw_only=True):
    """Import error response."""

    import_error_id: int
    timestamp: datetime
    filename: str
    bundle_name: str | None
    stack_trace: str


class ImportErrorCollectionResponse(Answer, kw_only=True):
    """One page of a list."""

    import_errors: list[ImportErrorResponse]
    total_entries: int


class JobResponse(Answer, kw_only=True):
    """Job response."""

    id: int
    dag_id: str | None
    state: str | None
    job_type: str | None
    start_date: datetime | None
    end_date: datetime | None
    latest_heartbeat: datetime | None
    executor_class: str | None
    hostname: str | None
    unixname: str | None
    dag_display_name: str | None = None


class JobCollectionResponse(Answer, kw_only=True):
    """One page of a list."""

    jobs: list[JobResponse]
    total_entries: int


class PoolResponse(Answer, kw_only=True):
    """Pool response."""

    name: str
    slots: int
    description: str | None = None
    include_deferred: bool
    occupied_slots: int
    running_slots: int
    queued_slots: int
    scheduled_slots: int
    open_slots: int
    deferred_slots: int
    team_name: str | None


class PoolCollectionResponse(Answer, kw_only=True):
    """One page of a list."""

    pools: list[PoolResponse]
    total_entries: int


class ProviderResponse(Answer, kw_only=True):
    """Provider response."""

    package_name: str
    description: str
    version: str
    documentation_url: str | None


class ProviderCollectionResponse(Answer, kw_only=True):
    """One page of a list."""

    providers: list[ProviderResponse]
    total_entries: int


class VariableResponse(Answer, kw_only=True):
    """Variable response."""

    key: str
    value: str | None = None
    description: str | None
    is_encrypted: bool
    team_name: str | None


class VariableCollectionResponse(Answer, kw_only=True):
    """One page of a list."""

    variables: list[VariableResponse]
    total_entries: int


class VersionInfo(Answer, kw_only=True):
    """Version info."""

    version: str
    git_version: str | None
