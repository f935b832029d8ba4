"""Options whose names moved between Airflow's releases, and names that are accepted and unused.

Plain data: people carry old files along, so both names are read, and each old one is reported
once. Source: ``docs/configuration.md``, "Names that moved".
"""

from __future__ import annotations

from typing import Final

Name = tuple[str, str]


def _same(old_section: str, new_section: str, keys: str) -> dict[Name, Name]:
    return {(old_section, key): (new_section, key) for key in keys.split()}


#: (old section, old key) -> (new section, new key)
MOVED: Final[dict[Name, Name]] = {
    **_same(
        "core",
        "database",
        "sql_alchemy_conn sql_alchemy_pool_enabled sql_alchemy_pool_size sql_alchemy_pool_recycle "
        "sql_alchemy_pool_pre_ping sql_alchemy_max_overflow sql_alchemy_schema "
        "sql_alchemy_connect_args sql_engine_encoding load_default_connections max_db_retries",
    ),
    **_same(
        "core",
        "logging",
        "base_log_folder remote_logging remote_log_conn_id remote_base_log_folder "
        "encrypt_s3_logs logging_level fab_logging_level logging_config_class colored_console_log "
        "log_format simple_log_format log_filename_template log_processor_filename_template "
        "dag_processor_manager_log_location task_log_reader",
    ),
    **_same(
        "scheduler",
        "metrics",
        "statsd_on statsd_host statsd_port statsd_prefix stat_name_handler "
        "statsd_datadog_enabled statsd_datadog_tags statsd_custom_client_path",
    ),
    **_same(
        "scheduler",
        "dag_processor",
        "min_file_process_interval parsing_processes file_parsing_sort_mode "
        "max_callbacks_per_loop stale_dag_threshold print_stats_interval "
        "parsing_pre_import_modules",
    ),
    **_same(
        "webserver",
        "api",
        "base_url workers secret_key expose_config instance_name enable_swagger_ui "
        "grid_view_sorting_order log_fetch_timeout_sec hide_paused_dags_by_default default_wrap "
        "auto_refresh_interval require_confirmation_dag_change",
    ),
    **_same(
        "webserver",
        "fab",
        "session_backend session_lifetime_minutes cookie_secure cookie_samesite enable_proxy_fix "
        "proxy_fix_x_for proxy_fix_x_proto proxy_fix_x_host proxy_fix_x_port proxy_fix_x_prefix "
        "navbar_color navbar_text_color navbar_hover_color navbar_text_hover_color "
        "access_denied_message expose_hostname config_file auth_rate_limited auth_rate_limit "
        "update_fab_perms",
    ),
    ("api", "auth_backends"): ("fab", "auth_backends"),
    ("api", "auth_backend"): ("fab", "auth_backends"),
    ("core", "dag_concurrency"): ("core", "max_active_tasks_per_dag"),
    ("core", "non_pooled_task_slot_count"): ("core", "default_pool_task_slot_count"),
    ("core", "dag_file_processor_timeout"): ("dag_processor", "dag_file_processor_timeout"),
    ("core", "dataset_manager_class"): ("core", "asset_manager_class"),
    ("core", "dataset_manager_kwargs"): ("core", "asset_manager_kwargs"),
    ("core", "max_num_rendered_ti_fields_per_task"): (
        "core",
        "num_dag_runs_to_retain_rendered_fields",
    ),
    ("metrics", "statsd_allow_list"): ("metrics", "metrics_allow_list"),
    ("metrics", "statsd_block_list"): ("metrics", "metrics_block_list"),
    ("scheduler", "statsd_allow_list"): ("metrics", "metrics_allow_list"),
    ("scheduler", "max_threads"): ("dag_processor", "parsing_processes"),
    ("scheduler", "processor_poll_interval"): ("scheduler", "scheduler_idle_sleep_time"),
    ("scheduler", "deactivate_stale_dags_interval"): ("scheduler", "parsing_cleanup_interval"),
    ("scheduler", "dag_dir_list_interval"): ("dag_processor", "refresh_interval"),
    ("scheduler", "local_task_job_heartbeat_sec"): ("scheduler", "task_instance_heartbeat_sec"),
    ("scheduler", "scheduler_zombie_task_threshold"): (
        "scheduler",
        "task_instance_heartbeat_timeout",
    ),
    ("scheduler", "zombie_detection_interval"): (
        "scheduler",
        "task_instance_heartbeat_timeout_detection_interval",
    ),
    ("scheduler", "child_process_log_directory"): (
        "logging",
        "dag_processor_child_process_log_directory",
    ),
    ("celery", "default_queue"): ("operators", "default_queue"),
    ("celery", "task_adoption_timeout"): ("scheduler", "task_queued_timeout"),
    ("celery", "stalled_task_timeout"): ("scheduler", "task_queued_timeout"),
    ("kubernetes_executor", "worker_pods_pending_timeout"): ("scheduler", "task_queued_timeout"),
    ("admin", "hide_sensitive_variable_fields"): ("core", "hide_sensitive_var_conn_fields"),
    ("admin", "sensitive_variable_fields"): ("core", "sensitive_var_conn_names"),
    ("triggerer", "default_capacity"): ("triggerer", "capacity"),
    ("webserver", "web_server_host"): ("api", "host"),
    ("webserver", "web_server_port"): ("api", "port"),
    ("webserver", "web_server_worker_timeout"): ("api", "worker_timeout"),
    ("webserver", "web_server_ssl_cert"): ("api", "ssl_cert"),
    ("webserver", "web_server_ssl_key"): ("api", "ssl_key"),
    ("webserver", "page_size"): ("api", "fallback_page_limit"),
}


def _names(section: str, keys: str) -> set[Name]:
    return {(section, key) for key in keys.split()}


#: Options of some Airflow release that change nothing here; accepted in silence.
UNUSED: Final[frozenset[Name]] = frozenset(
    _names(
        "core",
        "check_slas donot_pickle enable_xcom_pickling task_runner strict_dataset_uri_validation "
        "strict_asset_uri_validation min_serialized_dag_fetch_interval asset_manager_class "
        "asset_manager_kwargs database_access_isolation internal_api_url internal_api_secret_key "
        "mp_start_method use_historical_filename_templates secure_mode "
        "store_serialized_dags store_dag_code sql_engine_collation_for_ids "
        "asset_uri_normalization "
        "simple_auth_manager_passwords_file max_consecutive_failed_dag_runs multi_team "
        "dag_default_queue task_log_prefix_template enable_lineage airflow_home",
    )
    | _names(
        "database",
        "alembic_ini_file_path sql_engine_collation_for_ids sql_alchemy_session_maker "
        "external_db_managers migration_batch_size",
    )
    | _names(
        "scheduler",
        "dependency_detector standalone_dag_processor "
        "schedule_after_task_execution job_heartbeat_sec run_duration max_callbacks_per_loop "
        "parsing_pre_import_modules only_idle dagbag_sync_interval running_metrics_interval "
        "ti_metrics_interval dag_stale_not_seen_duration",
    )
    | _names(
        "webserver",
        "dag_default_view dag_orientation worker_class access_logformat analytics_tool "
        "analytics_id analytics_url x_frame_enabled allow_raw_html_descriptions rbac authenticate "
        "warn_deployment_exposure caching_hash_method reload_on_plugin_change run_internal_api "
        "dag_run_display_number session_lifetime_days force_log_out_after log_auto_tailing_offset "
        "log_animation_speed navbar_logo_text_color cache_ttl",
    )
    | _names("smtp", "smtp_retry_limit")
    | _names("metrics", "timer_unit_consistency metrics_use_pattern_match")
    | _names("operators", "allow_illegal_arguments default_timeout")
    | _names("api", "google_oauth2_audience google_key_path log_config ssl_ca_file apps")
    | _names("api_auth", "jwt_kid jwt_revocation_enabled")
    | _names("sentry", "before_send")
    | _names("logging", "worker_log_server_ssl_cert celery_log_format log_formatter_class")
    | _names("celery", "worker_precheck operation_retries broker_transport_options")
    # What else stands in the airflow.cfg that 2.11 and 3.3 write by themselves.
    | _names(
        "core",
        "might_contain_dag_callable mp_forkserver_preload lazy_discover_providers "
        "team_name_cache_ttl rerun_with_latest_version",
    )
    | _names(
        "database",
        "sql_alchemy_connect_args_async",
    )
    | _names(
        "logging",
        "uvicorn_logging_level callsite_parameters dag_processor_log_format "
        "log_timestamp_format task_log_prefix_template interleave_timestamp_parser "
        "colored_log_format colored_formatter_class use_historical_filename_templates "
        "dag_processor_manager_log_stdout",
    )
    | _names(
        "metrics",
        "statsd_ipv6 statsd_datadog_metrics_tags otel_debugging_on",
    )
    | _names(
        "traces",
        "otel_debugging_on otel_debug_traces_on task_runner_flush_timeout_milliseconds",
    )
    | _names(
        "api",
        "expose_stacktrace dag_cache_size dag_cache_ttl server_type "
        "worker_refresh_interval worker_refresh_batch_size log_stream_buffer_size "
        "ssl_cert_reqs client_ssl_cert client_ssl_key client_use_public_certs "
        "enable_experimental_api",
    )
    | _names(
        "webserver",
        "log_fetch_delay_sec show_recent_stats_for_completed_runs "
        "instance_name_has_markup audit_view_included_events max_form_parts",
    )
    | _names(
        "workers",
        "state_store_backend min_heartbeat_interval max_failed_heartbeats "
        "execution_api_retries execution_api_retry_wait_min execution_api_retry_wait_max "
        "execution_api_timeout socket_cleanup_timeout missing_dag_retries "
        "missing_dag_retry_delay",
    )
    | _names(
        "execution_api",
        "otel_trace_propagation jwt_audience",
    )
    | _names(
        "scheduler",
        "dagrun_metrics_interval partition_mapper_max_downstream_keys enable_tracemalloc",
    )
    | _names(
        "triggerer",
        "runner_health_check_threshold blocked_main_thread_warning_threshold "
        "max_trigger_to_select_per_loop on_kill_timeout queues_enabled "
        "shared_stream_subscriber_queue_size shared_stream_ack_timeout "
        "shared_stream_cohort_grace_period",
    )
    | _names(
        "kerberos",
        "kinit_path keytab forwardable include_ip",
    )
    | _names(
        "dag_processor",
        "stale_bundle_cleanup_interval stale_bundle_cleanup_age_threshold "
        "stale_bundle_cleanup_min_versions dag_version_inflation_check_level",
    )
    | _names(
        "celery",
        "mp_start_method mp_forkserver_preload json_logs task_logs_to_stdout "
        "result_backend_sqlalchemy_engine_options",
    )
)

#: Sections of provider packages and of executors we do not have: whatever stands there is theirs.
FOREIGN_SECTIONS: Final = frozenset(
    {
        "admin",
        "atlas",
        "aws",
        "azure_remote_logging",
        "celery_broker_transport_options",
        "celery_kubernetes_executor",
        "celery_result_backend_transport_options",
        "celery_task_routes",
        "cli",
        "common.io",
        "common_io",
        "callbacks",
        "connection_test",
        "dask",
        "databricks",
        "debug",
        "edge",
        "elasticsearch",
        "elasticsearch_configs",
        "github_enterprise",
        "hive",
        "hiveserver2",
        "imap",
        "io",
        "kubernetes",
        "kubernetes_annotations",
        "kubernetes_environment_variables",
        "kubernetes_executor",
        "kubernetes_labels",
        "kubernetes_node_selectors",
        "kubernetes_secrets",
        "ldap",
        "lineage",
        "local_kubernetes_executor",
        "mesos",
        "openlineage",
        "opensearch",
        "opensearch_configs",
        "postgres",
        "profiling",
        "sdk",
        "sentry",
        "sftp",
        "snowflake",
        "ssh",
        "standard",
        "state_store",
        "usage_data_collection",
        "yandex",
    }
)

#: Options that may be given as a command (``_cmd``) or by the name of a secret (``_secret``),
#: and whose values are never shown.
SENSITIVE: Final[frozenset[Name]] = frozenset(
    {
        ("core", "fernet_key"),
        ("core", "internal_api_secret_key"),
        ("core", "asset_manager_kwargs"),
        ("database", "sql_alchemy_conn"),
        ("database", "sql_alchemy_conn_async"),
        ("database", "sql_alchemy_engine_args"),
        ("logging", "remote_task_handler_kwargs"),
        ("secrets", "backend_kwargs"),
        ("workers", "secrets_backend_kwargs"),
        ("api", "secret_key"),
        ("api_auth", "jwt_secret"),
        ("oidc", "client_secret"),
        ("metrics", "prometheus_token"),
        ("smtp", "smtp_password"),
        ("sentry", "sentry_dsn"),
        ("celery", "broker_url"),
        ("celery", "result_backend"),
        ("celery", "flower_basic_auth"),
    }
)
