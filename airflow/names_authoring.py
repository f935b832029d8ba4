"""What a DAG file is written with: DAGs, groups, edges, parameters, assets, timetables."""

from __future__ import annotations

AUTHORING: tuple[tuple[str, str, str], ...] = (
    ("sdk.dag", "DAG", ". models models.dag sdk sdk.definitions.dag"),
    ("sdk.dag_decorator", "dag", "decorators models.dag sdk sdk.definitions.dag"),
    ("sdk.base_operator", "BaseOperator", "models models.baseoperator sdk sdk.bases.operator"),
    ("sdk.base_operator", "BaseAsyncOperator", "sdk sdk.bases.operator"),
    ("sdk.abstract_operator", "AbstractOperator", "models.abstractoperator models.operator"),
    (
        "sdk.mapped_operator",
        "MappedOperator",
        "models.mappedoperator sdk.definitions.mappedoperator",
    ),
    (
        "sdk.edges",
        "chain cross_downstream",
        "models.baseoperator sdk sdk.bases.operator utils.helpers",
    ),
    ("sdk.edges", "chain_linear", "models.baseoperator sdk sdk.bases.operator"),
    ("sdk.edges", "Label EdgeModifier", "sdk sdk.definitions.edges utils.edgemodifier"),
    (
        "sdk.dag_node",
        "DAGNode DependencyMixin",
        "models.taskmixin sdk.definitions._internal.mixins",
    ),
    ("sdk.dag_node", "TaskMixin=DependencyMixin", "models.taskmixin"),
    (
        "sdk.task_group",
        "TaskGroup",
        "models.taskgroup sdk sdk.definitions.taskgroup utils.task_group",
    ),
    ("sdk.task_group", "MappedTaskGroup", "sdk.definitions.taskgroup utils.task_group"),
    (
        "sdk.task_decorators",
        "task",
        "decorators sdk sdk.definitions.decorators",
    ),
    ("sdk.task_decorators", "TaskDecoratorCollection=TaskDecorators", "decorators"),
    ("sdk.task_decorators", "result", "sdk sdk.definitions.decorators"),
    (
        "sdk.task_decorators",
        "setup=setup_task teardown=teardown_task",
        "decorators sdk sdk.definitions.decorators",
    ),
    (
        "sdk.task_group_decorator",
        "task_group",
        "decorators decorators.task_group sdk sdk.definitions.decorators "
        "sdk.definitions.decorators.task_group",
    ),
    (
        "sdk.decorated_operator",
        "DecoratedOperator task_decorator_factory get_unique_task_id",
        "decorators.base sdk.bases.decorator",
    ),
    (
        "sdk.decorated_operator",
        "TaskDecorator=TaskCallable",
        "decorators.base decorators sdk.bases.decorator",
    ),
    ("sdk.xcom_arg", "XComArg", ". models.xcom_arg sdk sdk.definitions.xcom_arg"),
    ("sdk.xcom_arg", "PlainXComArg", "models.xcom_arg sdk.definitions.xcom_arg"),
    ("sdk.resolvable", "literal", "sdk sdk.definitions.template utils.template"),
    ("sdk.param", "Param ParamsDict", "models.param sdk sdk.definitions.param"),
    ("sdk.param", "Param", "models"),
    ("sdk.param", "DagParam", "models.param sdk.definitions.param"),
    (
        "sdk.operator_link",
        "BaseOperatorLink",
        "models models.baseoperator models.baseoperatorlink sdk sdk.bases.operatorlink",
    ),
    ("sdk.notifier", "BaseNotifier", "notifications.basenotifier sdk sdk.bases.notifier"),
    ("sdk.not_set", "NOTSET ArgNotSet", "utils.types sdk.definitions._internal.types"),
    ("sdk.not_set", "SET_DURING_EXECUTION is_arg_set", "sdk.definitions._internal.types"),
    ("sdk.trigger_rules", "TriggerRule", "sdk utils.trigger_rule"),
    ("sdk.weight_rules", "WeightRule", "sdk utils.weight_rule"),
    ("sdk.weight_rules", "PriorityWeightStrategy", "task.priority_strategy"),
    # Assets and datasets
    ("sdk.asset", "Dataset", ". datasets models.dataset sdk.definitions.asset"),
    (
        "sdk.asset",
        "DatasetAlias=AssetAlias DatasetAll=AssetAll DatasetAny=AssetAny",
        "datasets",
    ),
    (
        "sdk.asset",
        "Asset AssetAlias AssetAll AssetAny AssetWatcher",
        "sdk sdk.definitions.asset",
    ),
    ("sdk.asset", "Asset", ". assets"),
    ("sdk.asset_decorator", "asset", "sdk sdk.definitions.asset.decorators"),
    ("sdk.asset", "AssetAccessControl", "sdk sdk.definitions.asset"),
    ("sdk.asset", "Model BaseAsset AssetNameRef AssetUriRef AssetRef", "sdk.definitions.asset"),
    ("sdk.asset", "Metadata", "datasets.metadata sdk sdk.definitions.asset.metadata"),
    (
        "sdk.deadline",
        "DeadlineAlert DeadlineReference BaseDeadlineReference deadline_reference",
        "sdk sdk.definitions.deadline",
    ),
    ("sdk.deadline", "VariableInterval", "sdk.definitions.deadline"),
    ("sdk.deadline", "AsyncCallback SyncCallback", "sdk sdk.definitions.callback"),
    ("sdk.deadline", "Callback", "sdk.definitions.callback"),
    # Timetables
    (
        "sdk.timetables.base",
        "DagRunInfo DataInterval TimeRestriction Timetable",
        "timetables.base sdk.bases.timetable",
    ),
    (
        "sdk.timetables.interval",
        "CronDataIntervalTimetable DeltaDataIntervalTimetable",
        "timetables.interval sdk sdk.definitions.timetables.interval",
    ),
    (
        "sdk.timetables.trigger",
        "CronTriggerTimetable DeltaTriggerTimetable MultipleCronTriggerTimetable",
        "timetables.trigger sdk sdk.definitions.timetables.trigger",
    ),
    (
        "sdk.timetables.events",
        "EventsTimetable",
        "timetables.events sdk sdk.definitions.timetables.events",
    ),
    (
        "sdk.timetables.simple",
        "NullTimetable OnceTimetable ContinuousTimetable",
        "timetables.simple sdk.definitions.timetables.simple",
    ),
    (
        "sdk.timetables.asset_driven",
        "AssetTriggeredTimetable",
        "timetables.simple sdk.definitions.timetables.assets",
    ),
    (
        "sdk.timetables.asset_driven",
        "DatasetTriggeredTimetable=AssetTriggeredTimetable",
        "timetables.simple",
    ),
    (
        "sdk.timetables.asset_driven",
        "AssetOrTimeSchedule",
        "sdk sdk.definitions.timetables.assets timetables.assets",
    ),
    (
        "sdk.timetables.asset_driven",
        "DatasetOrTimeSchedule=AssetOrTimeSchedule",
        "timetables.datasets",
    ),
    ("sdk.graph", "check_cycle", "utils.dag_cycle_tester"),
    # Partitioned assets: refused when they are used
    (
        "sdk.partitions",
        "AllowedKeyMapper ChainMapper FanOutMapper FixedKeyMapper IdentityMapper PartitionMapper "
        "ProductMapper RollupMapper StartOfDayMapper StartOfHourMapper StartOfMonthMapper "
        "StartOfQuarterMapper StartOfWeekMapper StartOfYearMapper",
        "sdk partition_mappers",
    ),
    (
        "sdk.partitions",
        "DayWindow HourWindow MinimumCount MonthWindow QuarterWindow SegmentWindow WaitForAll "
        "WeekWindow Window YearWindow",
        "sdk",
    ),
    ("sdk.partitions", "CronPartitionTimetable", "sdk timetables.trigger"),
    ("sdk.partitions", "PartitionedAssetTimetable PartitionedAtRuntime", "sdk timetables.simple"),
    # Dates
    ("sdk.timezone", "*", "sdk.timezone utils.timezone"),
    ("sdk.relative_dates", "days_ago cron_presets", "utils.dates"),
)
