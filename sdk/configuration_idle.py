"""Options of Airflow that are accepted and change nothing here, each with the reason.

``config lint`` says so of those that are set; ``docs/configuration.md`` lists them. An option
leaves this table when something reads it: a test holds the two against each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .configuration_names import Name

_REASONS: Final[tuple[tuple[str, str, str], ...]] = (
    (
        "events wake every part, and timers are computed: nothing polls",
        "scheduler",
        "scheduler_heartbeat_sec scheduler_idle_sleep_time orphaned_tasks_check_interval "
        "parsing_cleanup_interval task_queued_timeout_check_interval task_instance_heartbeat_sec "
        "task_instance_heartbeat_timeout_detection_interval",
    ),
    (
        "files are watched, and scanned each [dag_processor] scan_interval_s",
        "dag_processor",
        "refresh_interval bundle_refresh_check_interval stale_dag_threshold print_stats_interval "
        "file_parsing_sort_mode",
    ),
    (
        "there is one bundle, the DAGs folder",
        "dag_processor",
        "dag_bundle_config_list disable_bundle_versioning dag_bundle_storage_path",
    ),
    (
        "the parser's zygote has imported what DAG files need; callbacks have a queue of their own",
        "dag_processor",
        "parsing_pre_import_modules max_callbacks_per_loop",
    ),
    (
        "what is read and written at once follows from what changed",
        "scheduler",
        "max_tis_per_query max_dagruns_to_create_per_loop max_dagruns_per_loop_to_schedule "
        "use_row_level_locking",
    ),
    ("say --num-runs", "scheduler", "num_runs"),
    (
        "the first run of a task never waits for a past one",
        "scheduler",
        "ignore_first_depends_on_past_by_default",
    ),
    (
        "users, roles and logins are Tradewind's own: docs/security.md",
        "core",
        "auth_manager simple_auth_manager_users simple_auth_manager_all_admins",
    ),
    (
        "users, roles and logins are Tradewind's own: docs/security.md",
        "fab",
        "session_backend config_file update_fab_perms custom_roles access_denied_message cache_ttl",
    ),
    ("a machine is named by its operating system", "core", "hostname_callable"),
    (
        "exponential backoff ends at 24 hours, or at the task's own limit",
        "core",
        "max_task_retry_delay",
    ),
    ("tasks talk to their runner over a socket", "core", "execution_api_server_url"),
    ("tasks run as the user that the runner runs as", "core", "default_impersonation"),
    ("DAGs are stored once a version, as they are", "core", "compress_serialized_dags"),
    ("DAGs are stored when they change", "core", "min_serialized_dag_update_interval"),
    (
        "rendered fields go with their runs ('db clean')",
        "core",
        "max_num_rendered_ti_fields_per_task num_dag_runs_to_retain_rendered_fields",
    ),
    ("plugins are loaded where they are needed", "core", "lazy_load_plugins"),
    ("'..' is refused in ids: they are parts of paths", "core", "allow_double_dot_in_ids"),
    ("there are no settings for tests", "core", "unit_test_mode"),
    ("run 'connections create-default-connections'", "database", "load_default_connections"),
    ("a lost connection is made again until it is back", "database", "max_db_retries"),
    ("one connection string serves all", "database", "sql_alchemy_conn_async"),
    ("every start checks them", "database", "check_migrations"),
    ("it is UTF-8", "database", "sql_engine_encoding"),
    (
        "pages are told of changes, and each person chooses how they look",
        "api",
        "auto_refresh_interval grid_view_sorting_order default_wrap "
        "require_confirmation_dag_change",
    ),
    (
        "pages are told of changes, and each person chooses how they look",
        "webserver",
        "default_dag_run_display_number show_trigger_form_if_no_params "
        "audit_view_excluded_events num_recent_configurations_for_trigger",
    ),
    (
        "pages are told of changes, and each person chooses how they look",
        "fab",
        "navbar_color",
    ),
    ("the API browser is always there, for those who are signed in", "api", "enable_swagger_ui"),
    ("XComs are answered as JSON", "api", "enable_xcom_deserialize_support"),
    ("a web process that hangs for 30 s is replaced", "api", "worker_timeout"),
    (
        "web processes live as long as the page; [api] bounds their requests",
        "webserver",
        "web_server_master_timeout worker_refresh_interval worker_refresh_batch_size "
        "max_form_memory_size access_logfile error_logfile",
    ),
    ("errors never show it", "webserver", "expose_stacktrace"),
    ("errors never show it", "fab", "expose_hostname"),
    ("tokens are our own, or of [oidc]", "api_auth", "trusted_jwks_url"),
    (
        "a try's log is one file; airflow_local_settings.py adds handlers; services log to stderr",
        "logging",
        "logging_config_class task_log_reader simple_log_format "
        "trigger_log_server_port colored_console_log dag_processor_log_target "
        "log_processor_filename_template dag_processor_manager_log_location "
        "dag_processor_child_process_log_directory fab_logging_level celery_logging_level "
        "extra_logger_names namespace_levels color_log_error_keywords color_log_warning_keywords "
        "enable_task_context_logger celery_stdout_stderr_separation",
    ),
    (
        "the connection remote_log_conn_id says how to reach the store",
        "logging",
        "encrypt_s3_logs google_key_path remote_task_handler_kwargs",
    ),
    (
        "the names of both generations are sent, as they are",
        "metrics",
        "legacy_names_on stat_name_handler statsd_custom_client_path",
    ),
    ("logs are no events of traces", "traces", "otel_task_log_event"),
    (
        "no executor reserves resources",
        "operators",
        "default_cpus default_ram default_disk default_gpus",
    ),
    ("report errors by a listener or a callback", "sentry", "sentry_on sentry_dsn"),
    ("there is no ticket renewer", "kerberos", "ccache principal reinit_frequency"),
    (
        "results do not go through Celery",
        "celery",
        "sync_parallelism task_track_started task_publish_max_retries",
    ),
    (
        "there is no Kubernetes executor",
        "kubernetes_executor",
        "worker_container_repository worker_container_tag",
    ),
)

#: Option -> why it changes nothing.
IDLE: Final[Mapping[Name, str]] = {
    (section, key): reason for reason, section, keys in _REASONS for key in keys.split()
}
