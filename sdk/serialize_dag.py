"""From DAG objects to plain data: what scheduler, pages and API will know of a DAG.

Runs inside the parser's child, right after the file was imported. The result holds no user
object, and is the same for the same file, whatever the order of sets.
"""

from __future__ import annotations

import datetime as dt
import inspect
import json
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from . import timezone
from .abstract_operator import AbstractOperator
from .access_control import checked_access_control
from .asset import Asset, AssetAlias, AssetNameRef, AssetUriRef
from .dag import DAG
from .exceptions import SerializationError
from .executor_names import canonical_executor
from .expand_inputs import DictOfListsExpandInput, ExpandInput, MappedArgument
from .graph import sorted_tasks
from .not_set import is_arg_set
from .operator_arguments import read_callbacks
from .param import Param, ParamsDict
from .serialized import (
    Expansion,
    Length,
    SerializedAsset,
    SerializedDag,
    SerializedDeadline,
    SerializedGroup,
    SerializedParam,
    SerializedTask,
    decode,
    encode,
)
from .start_trigger import start_trigger_of
from .task_group import MappedTaskGroup, TaskGroup
from .timetables.registry import serialize_timetable
from .weight_rules import PriorityWeightStrategy, WeightRule, clamp
from .xcom_arg import ConcatXComArg, MapXComArg, PlainXComArg, ZipXComArg

_DOC_FORMATS = ("doc_md", "doc_rst", "doc_json", "doc_yaml", "doc")
_CALLBACKS = ("execute", "success", "failure", "retry", "skipped")


def serialize(dag: DAG, *, relative_fileloc: str) -> SerializedDag:
    """Check *dag* as a whole and return it as plain data.

    Args:
        relative_fileloc: the DAG file, relative to the DAGs folder.

    Raises:
        AirflowException: what ``dag.validate()`` finds, or a value of a wrong type.
    """
    dag.validate()
    found = _serialize(dag, relative_fileloc)
    try:
        decode(encode(found))  # what cannot be read back must fail here, not in the scheduler
    except (msgspec.ValidationError, TypeError) as error:
        raise SerializationError(f"the DAG {dag.dag_id!r} cannot be stored: {error}") from error
    return found


def _serialize(dag: DAG, relative_fileloc: str) -> SerializedDag:
    ordered = sorted_tasks(dag.task_dict)
    weights = effective_weights(ordered)
    condition = dag.timetable.asset_condition
    return SerializedDag(
        dag_id=dag.dag_id,
        dialect=dag.dialect,
        timetable=serialize_timetable(dag.timetable),
        relative_fileloc=relative_fileloc,
        fileloc=dag.fileloc,
        dag_display_name=dag.dag_display_name,
        description=str(dag.description or ""),
        doc_md=_text(dag.doc_md),
        timezone=timezone.timezone_name(dag.timezone),
        start_at=_instant(dag.start_date),
        end_at=_instant(dag.end_date),
        default_args_start_at=_default_start(dag),
        catchup=dag.catchup,
        is_catchup_implied=dag.is_catchup_implied,
        max_active_runs=dag.max_active_runs,
        max_active_tasks=dag.max_active_tasks,
        max_active_tasks_scope="dag" if dag.dialect == "2" else "run",
        max_consecutive_failed_dag_runs=dag.max_consecutive_failed_dag_runs,
        dagrun_timeout_s=_seconds(dag.dagrun_timeout),
        is_fail_fast=dag.fail_fast,
        is_paused_upon_creation=dag.is_paused_upon_creation,
        rerun_with_latest_version=dag.rerun_with_latest_version,
        tags=sorted({str(tag) for tag in dag.tags}),
        owner_links=dag.owner_links,
        params=_params(dag.params),
        callbacks=_dag_callbacks(dag),
        render_template_as_native_obj=bool(dag.render_template_as_native_obj),
        asset_expression=condition.as_expression() if condition is not None else None,
        allowed_run_types=dag.allowed_run_types,
        deadlines=_deadlines(dag),
        access_control=checked_access_control(dag.access_control),
        edge_labels=sorted(
            [up, down, info["label"]]
            for up, edges in dag.edge_info.items()
            for down, info in edges.items()
            if info.get("label")
        ),
        groups=[_group(group) for group in dag.task_group.iter_groups()],
        tasks=[_task(task, weights[task.task_id], dag) for task in ordered],
    )


def effective_weights(ordered: list[AbstractOperator]) -> dict[str, int]:
    """Return each task's weight as its rule computes it (semantics section 5.9).

    Sets of relatives are kept as bits of one number: whole DAGs of thousands of tasks stay cheap.
    """
    position = {task.task_id: number for number, task in enumerate(ordered)}
    own = [task.priority_weight for task in ordered]
    after = _reachable(
        [[position[id_] for id_ in task.downstream_task_ids] for task in ordered], reverse=True
    )
    before = (
        _reachable([[position[id_] for id_ in task.upstream_task_ids] for task in ordered])
        if any(task.weight_rule == WeightRule.UPSTREAM for task in ordered)
        else []
    )
    weights: dict[str, int] = {}
    for number, task in enumerate(ordered):
        total = own[number]
        if task.weight_rule == WeightRule.DOWNSTREAM:
            total += _sum(after[number], own)
        elif task.weight_rule == WeightRule.UPSTREAM:
            total += _sum(before[number], own)
        elif isinstance(task.weight_rule, PriorityWeightStrategy):
            total = _strategy_weight(task)
        weights[task.task_id] = clamp(total)
    return weights


def _reachable(neighbours: list[list[int]], *, reverse: bool = False) -> list[int]:
    """Return for each node the set of nodes reachable from it, as bits."""
    reached = [0] * len(neighbours)
    order = range(len(neighbours) - 1, -1, -1) if reverse else range(len(neighbours))
    for number in order:
        for other in neighbours[number]:
            reached[number] |= reached[other] | (1 << other)
    return reached


def _sum(bits: int, weights: list[int]) -> int:
    if len(set(weights)) == 1:  # nearly always: nobody set a weight
        return bits.bit_count() * weights[0]
    total = 0
    while bits:
        lowest = bits & -bits
        total += weights[lowest.bit_length() - 1]
        bits ^= lowest
    return total


def _strategy_weight(task: AbstractOperator) -> int:
    """Ask a user's strategy with the task in the place of a task instance."""
    try:
        return int(task.weight_rule.get_weight(task))
    except Exception:  # noqa: BLE001 - user code that wants a real task instance
        return task.priority_weight


def _task(task: Any, weight: int, dag: DAG) -> SerializedTask:
    rule = task.weight_rule
    doc_format = next((name for name in _DOC_FORMATS if getattr(task, name, None)), "")
    group = task.task_group
    operator_class = task.operator_class
    has_outlets = bool(task.outlets) or bool(task.inlets)
    callbacks = [name for name in _CALLBACKS if getattr(task, f"on_{name}_callback")]
    hooks = task._pre_execute_hook or task._post_execute_hook
    marker = getattr(task, "external_marker", None)
    return SerializedTask(
        task_id=task.task_id,
        task_type=task.task_type,
        operator_name=task.operator_name,
        task_module=operator_class.__module__,
        label=task.label,
        task_display_name=task.task_display_name,
        group_id=group.group_id or "" if group is not None else "",
        upstream_task_ids=sorted(task.upstream_task_ids),
        trigger_rule=str(task.trigger_rule),
        retries=task.retries,
        retry_delay_s=task.retry_delay.total_seconds(),
        retry_exponential_backoff=float(task.retry_exponential_backoff),
        retry_delay_max_s=_seconds(task.max_retry_delay),
        pool=task.pool,
        pool_slots=task.pool_slots,
        queue=task.queue,
        executor=canonical_executor(task.executor) if task.executor else "",
        priority_weight=task.priority_weight,
        weight_rule=str(rule) if isinstance(rule, str) else type(rule).__qualname__,
        effective_priority_weight=weight,
        max_active_tis_per_dag=task.max_active_tis_per_dag,
        max_active_tis_per_dagrun=task.max_active_tis_per_dagrun,
        depends_on_past=bool(task.depends_on_past),
        wait_for_downstream=bool(task.wait_for_downstream),
        ignore_first_depends_on_past=bool(task.ignore_first_depends_on_past),
        wait_for_past_depends_before_skipping=bool(task.wait_for_past_depends_before_skipping),
        start_at=_instant(task.start_date),
        end_at=_instant(task.end_date),
        execution_timeout_s=_seconds(task.execution_timeout),
        is_setup=task.is_setup,
        is_teardown=task.is_teardown,
        on_failure_fail_dagrun=task.on_failure_fail_dagrun,
        is_empty=task.inherits_from_empty_operator
        and not (has_outlets or hooks or {"execute", "success"} & set(callbacks)),
        start_trigger=None if task.is_mapped else start_trigger_of(task),
        external_marker=marker,
        triggered_dag_id=_dag_id(task, "trigger_dag_id"),
        awaited_dag_id="" if marker else _dag_id(task, "external_dag_id"),
        can_skip_downstream=task.inherits_from_skipmixin,
        do_xcom_push=bool(task.do_xcom_push),
        callbacks=callbacks,
        email=_addresses(task.email),
        email_on_failure=bool(task.email_on_failure),
        email_on_retry=bool(task.email_on_retry),
        expansion=_expansion(task.expand_input) if task.is_mapped else None,
        map_index_template=task.map_index_template or "",
        owner=str(task.owner),
        doc=_text(getattr(task, doc_format)) if doc_format else "",
        doc_format=doc_format,
        ui_color=str(task.ui_color),
        ui_fgcolor=str(task.ui_fgcolor),
        template_fields=[str(name) for name in task.template_fields],
        params=_own_params(task.params, dag),
        inlets=_assets(task.inlets),
        outlets=_assets(task.outlets),
        sla_s=_seconds(task.sla),
        run_as_user=task.run_as_user or "",
        extra_links=task.extra_links,
        extra_link_keys=task.extra_link_keys,
    )


def _dag_id(task: Any, attribute: str) -> str:
    """Return the DAG that an operator names; also one of a provider package, by its attribute."""
    named = getattr(task, attribute, "")
    return named if isinstance(named, str) else ""


def _group(group: TaskGroup) -> SerializedGroup:
    parent = group.parent_group
    is_mapped = isinstance(group, MappedTaskGroup)
    return SerializedGroup(
        group_id=group.node_id,
        label=group.group_display_name or group.label,
        parent_id=parent.node_id if parent is not None else "",
        prefix_group_id=group.prefix_group_id,
        tooltip=_text(group.tooltip),
        ui_color=group.ui_color,
        ui_fgcolor=group.ui_fgcolor,
        expansion=_expansion(group.expand_input) if is_mapped else None,  # type: ignore[attr-defined]
        children=list(group.children),
    )


# --- mapping ---------------------------------------------------------------------------------


def _expansion(expand_input: ExpandInput) -> Expansion:
    if isinstance(expand_input, DictOfListsExpandInput):
        return Expansion(
            lengths=[length_of(value) for value in expand_input.value.values()],
            argument_names=expand_input.argument_names(),
        )
    return Expansion(lengths=[length_of(expand_input.value)])


def length_of(value: Any) -> Length:
    """Return how many elements a mapped value has, as an expression over recorded lengths."""
    if isinstance(value, PlainXComArg):
        return Length("xcom", task_id=value.operator.task_id)
    if isinstance(value, MapXComArg):
        return length_of(value.arg)
    if isinstance(value, ZipXComArg):
        return Length(
            "zip",
            operands=[length_of(arg) for arg in value.args],
            is_filled=is_arg_set(value.fillvalue),
        )
    if isinstance(value, ConcatXComArg):
        return Length("concat", operands=[length_of(arg) for arg in value.args])
    if isinstance(value, MappedArgument) or not hasattr(value, "__len__"):
        raise SerializationError(f"the number of elements of {value!r} cannot be known")
    return Length("literal", count=len(value))


# --- parts -----------------------------------------------------------------------------------


def _instant(value: dt.datetime | None) -> dt.datetime | None:
    return timezone.plain_utc(value) if value is not None else None


def _default_start(dag: DAG) -> dt.datetime | None:
    """Return the start date in the default arguments, which may be text or naive."""
    given = dag.default_args.get("start_date")
    if isinstance(given, str):
        return _instant(timezone.parse(given, timezone=dag.timezone))
    if not isinstance(given, dt.datetime):
        return None
    return _instant(
        given if timezone.is_localized(given) else timezone.make_aware(given, dag.timezone)
    )


def _seconds(value: Any) -> float | None:
    if value is None:
        return None
    return float(value.total_seconds() if isinstance(value, dt.timedelta) else value)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return inspect.cleandoc(value) if isinstance(value, str) else json.dumps(_json(value))


def _json(value: Any) -> Any:
    """Return *value* as JSON values; what JSON does not know becomes its text."""
    if value is None or isinstance(value, (bool, int, str)):
        return value if type(value) in (bool, int, str, type(None)) else _plain(value)
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else str(value)
    if isinstance(value, Mapping):
        return {str(name): _json(element) for name, element in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted((_json(element) for element in value), key=repr)
    if isinstance(value, (list, tuple)):
        return [_json(element) for element in value]
    return str(value)


def _plain(value: Any) -> Any:
    """Return a subclass of int or str (an enum, say) as the plain value."""
    return int(value) if isinstance(value, int) else str(getattr(value, "value", value))


def _params(params: ParamsDict) -> list[SerializedParam]:
    return [
        SerializedParam(
            name=str(name),
            has_default=param.has_value,
            default=_json(param.value) if param.has_value else None,
            description=param.description or "",
            schema=_json(param.schema),
        )
        for name, param in params.items()
    ]


def _own_params(params: ParamsDict, dag: DAG) -> dict[str, Any]:
    """Return the task's params where they differ from the DAG's."""
    own: dict[str, Any] = {}
    param: Param
    for name, param in params.items():
        value = _json(param.value) if param.has_value else None
        if name not in dag.params or _json(dag.params.get_param(name).value) != value:
            own[str(name)] = value
    return own


def _dag_callbacks(dag: DAG) -> list[str]:
    found = [
        ("success", dag.on_success_callback),
        ("failure", dag.on_failure_callback),
        ("sla_miss", dag.sla_miss_callback),
    ]
    return [name for name, callback in found if read_callbacks(callback, "")]


def _addresses(email: Any) -> list[str]:
    if not email:
        return []
    parts = email.replace(";", ",").split(",") if isinstance(email, str) else map(str, email)
    return [part.strip() for part in parts if part.strip()]


def _assets(values: Iterable[Any]) -> list[SerializedAsset]:
    """Return assets, aliases and references; other lineage objects mean nothing here."""
    found: list[SerializedAsset] = []
    for value in values:
        if isinstance(value, Asset):
            found.append(SerializedAsset(value.name, value.uri, value.group, _json(value.extra)))
        elif isinstance(value, AssetAlias):
            found.append(SerializedAsset(value.name, "", value.group, is_alias=True))
        elif isinstance(value, AssetNameRef):
            found.append(SerializedAsset(value.name, ""))
        elif isinstance(value, AssetUriRef):
            found.append(SerializedAsset("", value.uri))
    return found


def _deadlines(dag: DAG) -> list[SerializedDeadline]:
    if not dag.deadline:
        return []
    from .deadline import VariableInterval

    found = []
    for alert in dag.deadline:
        # A Variable that is read while the file is parsed is watched: a change parses it again.
        interval = alert.interval
        length = interval.resolve() if isinstance(interval, VariableInterval) else interval
        found.append(
            SerializedDeadline(
                kind=alert.reference.kind,
                interval_s=length.total_seconds(),
                name=alert.name or "",
                **alert.reference.options(),
            )
        )
    return found
