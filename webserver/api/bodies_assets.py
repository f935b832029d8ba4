"""What may stand in the body of a request about assets."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct, field

from .bodies import Body, Instant, Note, RunId

Number = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class DatasetEventV1(Body, kw_only=True):
    """An update of a dataset by something outside."""

    dataset_uri: Annotated[str, Meta(min_length=1, max_length=1500)]
    extra: dict[str, Any] | None = None


class AccessControl(Struct, forbid_unknown_fields=True, kw_only=True):
    """Which teams may consume an event. There are no teams here: everybody may."""

    consumer_teams: None = None
    allow_global: bool = True


class AssetEventV2(Body, kw_only=True):
    """An update of an asset by something outside."""

    asset_id: Number
    partition_key: None = None
    extra: dict[str, Any] = field(default_factory=dict)
    access_control: AccessControl | None = None


class Materialize(Body, kw_only=True):
    """The run that is to make an asset."""

    dag_run_id: RunId | None = None
    data_interval_start: Instant | None = None
    data_interval_end: Instant | None = None
    logical_date: Instant | None = None
    run_after: Instant | None = None
    conf: dict[str, Any] | None = None
    note: Note | None = None
    partition_key: None = None
