"""What runs and what a running task meets: context, XCom, Variables, states, errors, settings."""

from __future__ import annotations

RUNNING: tuple[tuple[str, str, str], ...] = (
    ("", "version=AIRFLOW_VERSION", "version"),
    ("sdk.exceptions", "*", "exceptions sdk.exceptions"),
    ("sdk.variable", "Variable", "models models.variable sdk sdk.definitions.variable"),
    ("sdk.connection", "Connection", "models models.connection sdk sdk.definitions.connection"),
    ("sdk.dag_run", "DagRun", "models models.dagrun"),
    ("sdk.configuration", "conf", "configuration sdk sdk.configuration"),
    ("", "__version__=AIRFLOW_VERSION", "sdk"),
    (
        "sdk.parsing_context",
        "AirflowParsingContext get_parsing_context",
        "sdk sdk.definitions.context utils.dag_parsing_context",
    ),
    # The context and its parts
    (
        "sdk.context",
        "Context get_current_context",
        "sdk sdk.definitions.context utils.context",
    ),
    ("sdk.context", "context_merge", "sdk.definitions.context utils.context"),
    (
        "sdk.context",
        "get_current_context",
        "operators.python providers.standard.operators.python",
    ),
    ("sdk.context", "ConnectionAccessor VariableAccessor", "utils.context"),
    ("sdk.macros", "*", "macros sdk.execution_time.macros"),
    ("sdk.macros", "macros=", "sdk"),
    (
        "sdk.task_instance",
        "TaskInstance=RuntimeTaskInstance",
        "models models.taskinstance sdk sdk.types",
    ),
    (
        "sdk.task_instance",
        "RuntimeTaskInstance",
        "sdk.execution_time.task_runner",
    ),
    ("sdk.task_instance", "TaskInstanceKey", "models.taskinstance models.taskinstancekey"),
    ("sdk.xcom", "XCom=BaseXCom", "models models.xcom sdk.execution_time.xcom"),
    ("sdk.xcom", "BaseXCom", "models.xcom sdk sdk.bases.xcom sdk.execution_time.xcom"),
    ("sdk.xcom_arg", "XCOM_RETURN_KEY", "models.xcom utils.xcom"),
    ("sdk.xcom", "LazyXComSequence LazyXComSelectSequence=LazyXComSequence", "models.xcom"),
    ("sdk.xcom", "LazyXComSequence", "sdk.execution_time.lazy_sequence"),
    ("scheduler.dag_bag", "DagBag", "models models.dagbag dag_processing.dagbag"),
    (
        "sdk.call_arguments",
        "determine_kwargs",
        "sdk.bases.decorator utils.operator_helpers",
    ),
    ("sdk.call_arguments", "make_kwargs_callable", "utils.operator_helpers"),
    (
        "sdk.trigger_dag",
        "trigger_dag",
        "api.common.experimental.trigger_dag api.common.trigger_dag",
    ),
    ("sdk.subprocess_hook", "SubprocessHook SubprocessResult", "hooks.subprocess"),
    (
        "sdk.subprocess_hook",
        "SubprocessHook SubprocessResult",
        "providers.standard.hooks.subprocess",
    ),
    (
        "sdk.secrets_backend",
        "BaseSecretsBackend",
        "secrets secrets.base_secrets sdk.bases.secrets_backend",
    ),
    (
        "sdk.context_variables",
        "context_to_airflow_vars",
        "sdk.execution_time.context utils.operator_helpers",
    ),
    (
        "sdk.xcom_object_storage",
        "XComObjectStorageBackend",
        "providers.common.io.xcom.backend",
    ),
    (
        "sdk.object_storage",
        "ObjectStoragePath",
        "io.path sdk.io.path sdk sdk.io io",
    ),
    ("sdk.object_storage", "attach get_fs has_fs", "io sdk.io sdk.io.fs"),
    ("sdk.providers_manager", "ProvidersManager HookInfo ProviderInfo", "providers_manager"),
    (
        "sdk.providers_manager",
        "ProvidersManagerTaskRuntime",
        "sdk.providers_manager_runtime sdk.plugins_manager",
    ),
    ("sdk.plugin", "AirflowPlugin", "plugins_manager sdk.plugins_manager"),
    ("sdk.listeners", "hookimpl", "listeners sdk._shared.listeners"),
    ("sdk.listeners", "ListenerManager get_listener_manager", "listeners.listener sdk.listener"),
    (
        "sdk.retry_policy",
        "ExceptionRetryPolicy RetryAction RetryDecision RetryPolicy RetryRule",
        "sdk sdk.definitions.retry_policy",
    ),
    ("sdk.timezone", "timezone=", "providers.common.compat.sdk"),
    (
        "sdk.callable_runners",
        "KeywordParameters is_async_callable",
        "sdk.bases.decorator utils.operator_helpers",
    ),
    ("sdk.callable_runners", "ExecutionCallableRunner", "utils.operator_helpers"),
    (
        "sdk.callable_runners",
        "create_executable_runner=ExecutionCallableRunner ExecutionCallableRunner "
        "create_async_executable_runner=AsyncExecutionCallableRunner AsyncExecutionCallableRunner",
        "sdk.execution_time.callback_runner",
    ),
    (
        "sdk.callable_runners",
        "context_get_outlet_events",
        "sdk.execution_time.context utils.context",
    ),
    ("sdk.json_coding", "AirflowJsonEncoder WebEncoder XComDecoder XComEncoder", "utils.json"),
    (
        "sdk.lineage",
        "AssetLineageInfo HookLineage HookLineageReader get_hook_lineage_collector",
        "sdk.lineage lineage.hook",
    ),
    ("sdk.lineage", "lineage=", "sdk"),
    ("sdk.stats", "Stats", "stats observability.stats sdk.observability.stats"),
    (
        "sdk.asset_details",
        "AssetAliasDetails AssetDetails",
        "api_fastapi.auth.managers.models.resource_details",
    ),
    ("sdk.state_store", "NEVER_EXPIRE", "sdk sdk.execution_time.context"),
    # States
    ("sdk.states", "DagRunState TaskInstanceState", "sdk utils.state"),
    ("sdk.state_names", "State", "utils.state"),
    ("sdk.states", "DagRunType=RunType", "utils.types models.dagrun"),
    ("sdk.base_hook", "BaseHook", "hooks.base hooks.base_hook sdk sdk.bases.hook"),
    (
        "sdk.settings_values",
        "AIRFLOW_HOME DAGS_FOLDER PLUGINS_FOLDER TIMEZONE configure_orm pod_mutation_hook",
        "settings",
    ),
    (
        "sdk.settings_values",
        "AIRFLOW_HOME get getboolean getfloat getint has_option",
        "configuration",
    ),
    # The metadata database, out of reach
    ("sdk.metadata_session", "Session engine", "settings"),
    ("sdk.metadata_session", "NEW_SESSION create_session provide_session", "utils.session"),
    ("sdk.metadata_session", "create_session provide_session", "utils.db"),
    (
        "sdk.metadata_session",
        "DagModel=out_of_reach DagTag=out_of_reach Log=out_of_reach Pool=out_of_reach "
        "SlaMiss=out_of_reach TaskReschedule=out_of_reach",
        "models",
    ),
    ("sdk.metadata_session", "DagModel=out_of_reach", "models.dag"),
    ("sdk.metadata_session", "SerializedDagModel=out_of_reach", "models.serialized_dag"),
    (
        "sdk.metadata_session",
        "RenderedTaskInstanceFields=out_of_reach",
        "models.renderedtifields",
    ),
    ("sdk.metadata_session", "clear_task_instances=refuse_session", "models.taskinstance"),
    (
        "sdk.metadata_session",
        "AssetEvent=out_of_reach AssetModel=out_of_reach expand_alias_to_assets=refuse_session",
        "models.asset",
    ),
    ("sdk.metadata_session", "expand_alias_to_datasets=refuse_session", "datasets"),
    # Secrets in logs
    (
        "sdk.secrets_masker",
        "mask_secret redact",
        "sdk.log sdk.execution_time.secrets_masker utils.log.secrets_masker",
    ),
    (
        "sdk.secrets_masker",
        "SecretsMasker should_hide_value_for_key",
        "utils.log.secrets_masker sdk.execution_time.secrets_masker",
    ),
    (
        "sdk.secrets_masker",
        "SecretsMasker should_hide_value_for_key",
        "sdk._shared.secrets_masker",
    ),
    # Libraries
    (":functools", "cache cached_property", "compat.functools"),
    (
        ":typing",
        "Literal ParamSpec Protocol Self TypedDict TypeGuard runtime_checkable",
        "typing_compat",
    ),
    (":yaml", "*", "utils.yaml"),
    # Small functions
    ("sdk.logging_mixin", "LoggingMixin remove_escape_codes", "utils.log.logging_mixin"),
    (
        "sdk.module_loading",
        "is_valid_dotpath iter_namespace qualname",
        "sdk.module_loading utils.module_loading",
    ),
    ("sdk.module_loading", "is_valid_dotpath", "sdk._shared.module_loading"),
    ("sdk.import_string", "import_string", "sdk.module_loading utils.module_loading"),
    ("sdk.provider_functions", "apply_defaults", "utils.decorators"),
    ("sdk.provider_functions", "add_deprecated_classes", "utils.deprecation_tools"),
    ("sdk.provider_functions", "getuser", "utils.platform"),
    ("sdk.provider_functions", "get_random_string to_boolean", "utils.strings"),
    ("sdk.provider_functions", "md5", "utils.hashlib_wrapper"),
    (
        "sdk.provider_functions",
        "correct_maybe_zipped",
        "utils.file",
    ),
    ("sdk.module_loading", "get_unique_dag_module_name=dag_module_name", "utils.file"),
    (
        "sdk.provider_functions",
        "build_airflow_dagrun_url build_airflow_url_with_query",
        "utils.helpers",
    ),
    ("sdk.provider_functions", "patch_environ", "utils.process_utils"),
    ("sdk.provider_functions", "timeout", "sdk.execution_time.timeout utils.timeout"),
    (
        "sdk.provider_functions",
        "as_flattened_list at_most_one chunks convert_camel_to_snake exactly_one is_container "
        "merge_dicts partition prune_dict",
        "utils.helpers",
    ),
    ("sdk.operator_arguments", "validate_key", "utils.helpers"),
    ("sdk.task_instance", "get_hostname=host_name getfqdn=host_name", "utils.net"),
)
