"""The serialized DAG: what scheduler, pages and API know of a DAG without importing user code.

Plain msgspec structs, encoded as JSON with defaults left out. ``serialize_dag.py`` builds them
from DAG objects inside the parser child; everything else only reads them. This module is
imported late by ``sdk`` itself: task processes do not pay for it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from .default_pool import DEFAULT_POOL


class SerializedTimetable(Struct, omit_defaults=True):
    """``kind`` is a key of ``sdk.timetables.registry``, or ``custom`` for a user's own class.

    A custom timetable is never imported by the scheduler: the parser's child answers for it.
    """

    kind: str
    data: dict[str, Any] = {}
    class_path: str = ""
    summary: str = ""
    description: str = ""
    periodic: bool = True
    can_be_scheduled: bool = True
    active_runs_limit: int | None = None


class Length(Struct, omit_defaults=True):
    """How many elements a mapped argument has, as an expression over recorded XCom lengths.

    ``operator``: ``literal`` (``count``), ``xcom`` (``task_id``: length of its return value, or
    the number of pushed values where that task is mapped itself), ``zip`` (shortest of
    ``operands``, longest with ``is_filled``), ``concat`` (sum of ``operands``).
    """

    operator: str
    count: int = 0
    task_id: str = ""
    operands: list[Length] = []
    is_filled: bool = False


class Expansion(Struct, omit_defaults=True):
    """How a task or a task group is mapped: the product of the lengths of its arguments.

    ``lengths`` stands in keyword order (the last runs fastest); ``expand_kwargs`` has one entry.
    """

    lengths: list[Length]
    argument_names: list[str] = []


class SerializedAsset(Struct, omit_defaults=True):
    """An asset or dataset named by a task or a schedule."""

    name: str
    uri: str
    group: str = "asset"
    extra: dict[str, Any] = {}
    is_alias: bool = False


class SerializedWatcher(Struct):
    """A trigger that a DAG has watch an asset. ``kwargs``: encoded as an XCom.

    It stands beside the serialized DAG and not in it: the arguments may hold secrets.
    """

    asset_name: str
    asset_uri: str
    name: str
    class_path: str
    kwargs: str


class SerializedTask(Struct, omit_defaults=True):
    """One task. Lengths of time are seconds; ids are full (with the group's prefix)."""

    task_id: str
    task_type: str
    operator_name: str = ""
    task_module: str = ""
    label: str = ""
    task_display_name: str = ""
    group_id: str = ""
    upstream_task_ids: list[str] = []
    trigger_rule: str = "all_success"
    retries: int = 0
    retry_delay_s: float = 300.0
    #: 0: none; 2.0: Airflow 2's True; other numbers multiply.
    retry_exponential_backoff: float = 0.0
    retry_delay_max_s: float | None = None
    pool: str = DEFAULT_POOL
    pool_slots: int = 1
    queue: str = "default"
    executor: str = ""
    #: The task's own weight, and the weight that its rule computes from the graph.
    priority_weight: int = 1
    weight_rule: str = "downstream"
    effective_priority_weight: int = 1
    max_active_tis_per_dag: int | None = None
    max_active_tis_per_dagrun: int | None = None
    depends_on_past: bool = False
    wait_for_downstream: bool = False
    ignore_first_depends_on_past: bool = False
    wait_for_past_depends_before_skipping: bool = False
    start_at: datetime | None = None
    end_at: datetime | None = None
    execution_timeout_s: float | None = None
    is_setup: bool = False
    is_teardown: bool = False
    on_failure_fail_dagrun: bool = False
    #: An empty operator without callbacks and outlets: finished without a process.
    is_empty: bool = False
    #: ``start_from_trigger``: class_path, kwargs, next_method, next_kwargs (both encoded),
    #: timeout_s. Each try begins deferred on it, without a process.
    start_trigger: dict[str, Any] | None = None
    #: ``ExternalTaskMarker``: dag_id, task_id, logical_date (a template) of the task that it
    #: stands for, and depth.
    external_marker: dict[str, Any] | None = None
    #: The DAG that it starts runs of, and the DAG that it waits for, as written (templates too).
    triggered_dag_id: str = ""
    awaited_dag_id: str = ""
    #: Branch and short circuit: may have left a ``skipmixin_key`` XCom.
    can_skip_downstream: bool = False
    do_xcom_push: bool = True
    #: Which callbacks it has: "execute", "success", "failure", "retry", "skipped".
    callbacks: list[str] = []
    email: list[str] = []
    email_on_failure: bool = True
    email_on_retry: bool = True
    #: Its own ``expand``; None where it is not mapped itself (its group may still be).
    expansion: Expansion | None = None
    map_index_template: str = ""
    owner: str = "airflow"
    doc: str = ""
    doc_format: str = ""
    ui_color: str = "#fff"
    ui_fgcolor: str = "#000"
    template_fields: list[str] = []
    params: dict[str, Any] = {}
    inlets: list[SerializedAsset] = []
    outlets: list[SerializedAsset] = []
    sla_s: float | None = None
    run_as_user: str = ""
    extra_links: list[str] = []
    #: Name of a link → XCom key under which its address is kept.
    extra_link_keys: dict[str, str] = {}


class SerializedGroup(Struct, omit_defaults=True):
    """One task group. The root group is not listed."""

    group_id: str
    label: str = ""
    parent_id: str = ""
    prefix_group_id: bool = True
    tooltip: str = ""
    ui_color: str = "CornflowerBlue"
    ui_fgcolor: str = "#000"
    expansion: Expansion | None = None
    #: Order of children in the file: task ids and group ids.
    children: list[str] = []


class SerializedParam(Struct, omit_defaults=True):
    """One DAG parameter: its JSON schema and its default (``has_default`` False: required)."""

    name: str
    has_default: bool = True
    default: Any = None
    description: str = ""
    schema: dict[str, Any] = {}


class SerializedDeadline(Struct, omit_defaults=True):
    """One deadline alert.

    ``kind``: logical_date, queued_at, fixed, average_runtime; own or own_of_queueing, whose
    instant only the DAG's file knows.
    """

    kind: str
    interval_s: float
    name: str = ""
    at: datetime | None = None
    max_runs: int = 0
    min_runs: int = 0


class SerializedDag(Struct, omit_defaults=True):
    """One DAG, whole. Two equal encodings are the same DAG version."""

    dag_id: str
    #: "2" or "3": which generation's defaults apply (architecture, section 4).
    dialect: str
    timetable: SerializedTimetable
    #: Path relative to the DAGs folder; the file that is imported to run a task.
    relative_fileloc: str = ""
    fileloc: str = ""
    dag_display_name: str = ""
    description: str = ""
    doc_md: str = ""
    timezone: str = "UTC"
    start_at: datetime | None = None
    end_at: datetime | None = None
    #: ``default_args["start_date"]``: a manual run may not be dated before it.
    default_args_start_at: datetime | None = None
    catchup: bool = False
    #: The file said nothing about catchup: it came from the dialect or a setting.
    is_catchup_implied: bool = False
    max_active_runs: int = 16
    max_active_tasks: int = 16
    #: "run": counted per dag run; "dag": over all runs (semantics section 11, row 8).
    max_active_tasks_scope: str = "run"
    max_consecutive_failed_dag_runs: int = 0
    dagrun_timeout_s: float | None = None
    is_fail_fast: bool = False
    is_paused_upon_creation: bool | None = None
    #: Whether a clear moves runs to the newest version where nobody says; None: it does.
    rerun_with_latest_version: bool | None = None
    tags: list[str] = []
    owner_links: dict[str, str] = {}
    params: list[SerializedParam] = []
    #: Which DAG callbacks it has: "success", "failure".
    callbacks: list[str] = []
    deadlines: list[SerializedDeadline] = []
    render_template_as_native_obj: bool = False
    asset_expression: dict[str, Any] | None = None
    allowed_run_types: list[str] | None = None
    access_control: dict[str, Any] | None = None
    #: Labels on edges: [upstream id, downstream id, label].
    edge_labels: list[list[str]] = []
    groups: list[SerializedGroup] = []
    #: In topological order, ties in order of creation.
    tasks: list[SerializedTask] = []


def encode(dag: SerializedDag) -> bytes:
    """Return the canonical JSON of one DAG: equal DAGs give equal bytes."""
    return msgspec.json.encode(dag, order="sorted")


def decode(data: bytes | str) -> SerializedDag:
    """Read back what ``encode`` wrote.

    Raises:
        msgspec.ValidationError: the text is not a serialized DAG.
    """
    return msgspec.json.decode(data, type=SerializedDag)
