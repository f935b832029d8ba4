"""What may stand in the body of a bulk request: a list of creates, updates and deletes."""

from __future__ import annotations

from typing import Annotated, Generic, Literal, TypeVar

from msgspec import UNSET, Meta, Struct, UnsetType

from .bodies import (
    Body,
    ConnectionBody,
    Instant,
    Note,
    PoolV2,
    RunStateToSet,
    TaskStateToSet,
    VariableV2,
)

T = TypeVar("T")
#: More entities than this are to be sent in parts.
ENTITIES_MAX = 500


class Create(Struct, Generic[T], forbid_unknown_fields=True, tag_field="action", tag="create"):
    """Make each of these."""

    entities: Annotated[list[T], Meta(max_length=ENTITIES_MAX)]
    action_on_existence: Literal["fail", "skip", "overwrite"] = "fail"


class Update(Struct, Generic[T], forbid_unknown_fields=True, tag_field="action", tag="update"):
    """Change each of these."""

    entities: Annotated[list[T], Meta(max_length=ENTITIES_MAX)]
    update_mask: list[str] | None = None
    action_on_non_existence: Literal["fail", "skip"] = "fail"


class Delete(Struct, Generic[T], forbid_unknown_fields=True, tag_field="action", tag="delete"):
    """Delete each of these: names, or what has them."""

    entities: Annotated[list[str | T], Meta(max_length=ENTITIES_MAX)]
    action_on_non_existence: Literal["fail", "skip"] = "fail"


class PoolsBulk(Body, kw_only=True):
    """Acts on pools."""

    actions: list[Create[PoolV2] | Update[PoolV2] | Delete[PoolV2]]


class VariablesBulk(Body, kw_only=True):
    """Acts on variables."""

    actions: list[Create[VariableV2] | Update[VariableV2] | Delete[VariableV2]]


class ConnectionsBulk(Body, kw_only=True):
    """Acts on connections."""

    actions: list[Create[ConnectionBody] | Update[ConnectionBody] | Delete[ConnectionBody]]


class RunEntity(Body, kw_only=True):
    """A run, and what it is to have."""

    dag_run_id: str
    dag_id: str | None = None
    state: RunStateToSet | None = None
    note: Note | UnsetType | None = UNSET


class RunsBulk(Body, kw_only=True):
    """Acts on dag runs."""

    actions: list[Create[RunEntity] | Update[RunEntity] | Delete[RunEntity]]


class InstanceEntity(Body, kw_only=True):
    """A task instance, and what it is to have. Without a map index: all of the task."""

    task_id: str
    map_index: int | None = None
    dag_id: str | None = None
    dag_run_id: str | None = None
    new_state: TaskStateToSet | None = None
    note: Note | UnsetType | None = UNSET
    include_upstream: bool = False
    include_downstream: bool = False
    include_future: bool = False
    include_past: bool = False


class InstancesBulk(Body, kw_only=True):
    """Acts on task instances."""

    actions: list[Create[InstanceEntity] | Update[InstanceEntity] | Delete[InstanceEntity]]


class ClearRuns(Body, kw_only=True):
    """Clear several runs of a DAG. No run has a partition here, so none is chosen by one."""

    partition_key: None = None
    partition_date_start: None = None
    partition_date_end: None = None
    dry_run: bool = True
    only_failed: bool = False
    only_new: Literal[False] = False
    run_on_latest_version: bool | None = None
    note: Note | None = None
    dag_runs: Annotated[list[RunEntity], Meta(max_length=ENTITIES_MAX)] | None = None


class ClearPartitions(Body, kw_only=True):
    """Clear the runs of partitions."""

    partition_key: str | None = None
    partition_date_start: Instant | None = None
    partition_date_end: Instant | None = None
    run_id: str | None = None
    clear_task_instances: bool = False
    dry_run: bool = True
