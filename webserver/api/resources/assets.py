"""Assets and their events, which version 1 calls datasets: list, show, post, materialize."""

from __future__ import annotations

from typing import Any

from ....control import assets as verbs
from ....database.asset_rows import AssetRow
from ....database.listings import Where
from .. import answers_v2 as a2
from .. import asset_answers_v1 as d1
from .. import asset_answers_v2 as d2
from .. import bodies_assets as bodies
from .. import filters, show_assets, show_runs
from ..call import Call
from ..errors import ApiError
from ..operation import PAGE, Face, Query, bounds, operation, order, patterns
from .dag_runs import interval_of

_ONE = "/assets/{asset_id}"


@operation(
    "GET",
    "read",
    v1=Face(
        "get_datasets",
        "/datasets",
        (*PAGE, order(is_list=False), Query("uri_pattern"), Query("dag_ids")),
        answer=d1.DatasetCollection,
        tag="Dataset",
    ),
    v2=Face(
        "get_assets",
        "/assets",
        (
            *PAGE,
            *patterns("name", "uri"),
            Query("dag_ids", is_list=True),
            Query("only_active", "boolean", default=True),
            order(),
        ),
        answer=d2.AssetCollectionResponse,
        errors=(404,),
        tag="Asset",
    ),
)
def get_assets(call: Call) -> Any:
    """List assets."""
    query = call.query
    given = query.get("dag_ids") or []
    dag_ids = [one for one in given.split(",") if one] if isinstance(given, str) else given
    where = []
    if call.version == 1:
        if query.get("uri_pattern"):
            where.append(Where("uri", "part", query["uri_pattern"]))
    else:
        where += filters.patterns(query, name="name", uri="uri")
        if query["only_active"]:
            where.append(Where("is_active", "in", [True]))
    found = call.store.asset_listings.assets(
        where, call.order("id"), *call.window(), dag_ids=dag_ids
    )
    shown = show_assets.show_assets(call, found.rows)
    if call.version == 1:
        return d1.DatasetCollection(datasets=shown, total_entries=found.total)
    return d2.AssetCollectionResponse(assets=shown, total_entries=found.total)


def find_asset(call: Call, asset_id: int | None = None) -> AssetRow:
    """Return the asset that the address (or the body) names.

    Raises:
        ApiError: there is none.
    """
    wanted = call.path.get("asset_id", asset_id)
    if wanted is None:
        where = [Where("uri", "in", [str(call.path["uri"])])]
        named = f"URI {call.path['uri']!r}"
    else:
        where = [Where("id", "in", [wanted])]
        named = f"number {wanted}"
    found = call.store.asset_listings.assets(where, ["-is_active"], 1, 0)
    if not found.rows:
        raise ApiError(404, f"There is no asset with the {named}.")
    return found.rows[0]


@operation(
    "GET",
    "read",
    v1=Face("get_dataset", "/datasets/{uri}", answer=d1.Dataset, errors=(404,), tag="Dataset"),
    v2=Face("get_asset", _ONE, answer=d2.AssetResponse, errors=(404,), tag="Asset"),
)
def get_asset(call: Call) -> Any:
    """Show one asset."""
    return show_assets.show_assets(call, [find_asset(call)])[0]


_SOURCES = (
    Query("source_dag_id"),
    Query("source_task_id"),
    Query("source_run_id"),
    Query("source_map_index", "integer"),
)


@operation(
    "GET",
    "read",
    v1=Face(
        "get_dataset_events",
        "/datasets/events",
        (*PAGE, order(is_list=False), Query("dataset_id", "integer"), *_SOURCES),
        answer=d1.DatasetEventCollection,
        errors=(404,),
        tag="Dataset",
    ),
    v2=Face(
        "get_asset_events",
        "/assets/events",
        (
            *PAGE,
            order(),
            Query("asset_id", "integer"),
            *_SOURCES,
            *patterns("name"),
            *bounds("timestamp", is_strict=True),
        ),
        answer=d2.AssetEventCollectionResponse,
        errors=(404,),
        tag="Asset",
    ),
)
def get_asset_events(call: Call) -> Any:
    """List updates of assets."""
    query = call.query
    names = ("asset_id", "dataset_id", *(one.name for one in _SOURCES))
    where = [Where(name, "in", [query[name]]) for name in names if query.get(name) is not None]
    where += filters.ranges(query, "timestamp")
    where += filters.patterns(query, name="name")
    default = "timestamp" if call.version == 2 else "id"
    found = call.store.asset_listings.events(where, call.order(default), *call.window())
    return _events(call, found.rows, found.total)


def _events(call: Call, rows: Any, total: int) -> Any:
    shown = show_assets.show_events(call, rows)
    if call.version == 1:
        return d1.DatasetEventCollection(dataset_events=shown, total_entries=total)
    return d2.AssetEventCollectionResponse(asset_events=shown, total_entries=total)


_RUN = "/dags/{dag_id}/dagRuns/{dag_run_id}"


@operation(
    "GET",
    "read",
    v1=Face(
        "get_upstream_dataset_events",
        f"{_RUN}/upstreamDatasetEvents",
        answer=d1.DatasetEventCollection,
        errors=(404,),
        tag="DAGRun",
    ),
    v2=Face(
        "get_upstream_asset_events",
        f"{_RUN}/upstreamAssetEvents",
        answer=d2.AssetEventCollectionResponse,
        errors=(404,),
        tag="DagRun",
    ),
)
def get_upstream_asset_events(call: Call) -> Any:
    """List the updates that made a run."""
    call.store.runs.get(call.dag_id, call.run_id)
    rows = call.store.assets.consumed(call.dag_id, call.run_id)
    return _events(call, rows, len(rows))


@operation(
    "POST",
    "edit",
    v1=Face(
        "create_dataset_event",
        "/datasets/events",
        body=bodies.DatasetEventV1,
        answer=d1.DatasetEvent,
        errors=(400, 404),
        tag="Dataset",
    ),
    v2=Face(
        "create_asset_event",
        "/assets/events",
        body=bodies.AssetEventV2,
        answer=d2.AssetEventResponse,
        errors=(404,),
        tag="Asset",
    ),
)
def create_asset_event(call: Call) -> Any:
    """Say that an asset was updated; DAGs that wait for it get a run."""
    body = call.body
    # DAGs of both generations tell by this key that an event came by the API.
    extra = {**(body.extra or {}), "from_rest_api": True}
    if call.version == 1:
        event = verbs.post_event(call.services, uri=body.dataset_uri, extra=extra)
    else:
        row = find_asset(call, body.asset_id)
        event = verbs.post_event(call.services, name=row.name, uri=row.uri, extra=extra)
    return show_assets.show_events(call, [event])[0]


@operation(
    "POST",
    "edit",
    v2=Face(
        "materialize_asset",
        f"{_ONE}/materialize",
        body=bodies.Materialize,
        has_optional_body=True,
        answer=a2.DAGRunResponse,
        errors=(400, 404, 409),
        tag="Asset",
    ),
)
def materialize_asset(call: Call) -> Any:
    """Start a run of the one DAG that makes an asset."""
    row, body = find_asset(call), call.body
    run = verbs.materialize(
        call.services,
        name=row.name,
        uri=row.uri,
        triggered_by="rest_api",
        conf=body.conf,
        run_id=body.dag_run_id,
        logical_date=body.logical_date,
        run_after=body.run_after,
        data_interval=interval_of(body),
        note=body.note,
    )
    return show_runs.show_runs(call, [run])[0]


@operation(
    "GET",
    "read",
    v2=Face(
        "get_asset_aliases",
        "/assets/aliases",
        (*PAGE, *patterns("name"), order()),
        answer=d2.AssetAliasCollectionResponse,
        errors=(404,),
        tag="Asset",
    ),
)
def get_asset_aliases(call: Call) -> Any:
    """List the aliases that DAGs name."""
    part = (call.query["name_pattern"] or "").replace("%", "").lower()
    prefix = call.query["name_prefix_pattern"] or ""
    names = [
        name
        for name in sorted(call.store.assets.aliases())
        if part in name.lower() and name.startswith(prefix)
    ]
    if call.order("id")[0].startswith("-"):
        names.reverse()
    limit, offset = call.window()
    shown = [show_assets.show_alias(name) for name in names[offset : offset + limit]]
    return d2.AssetAliasCollectionResponse(asset_aliases=shown, total_entries=len(names))


@operation(
    "GET",
    "read",
    v2=Face(
        "get_asset_alias",
        "/assets/aliases/{asset_alias_id}",
        answer=d2.AssetAliasResponse,
        errors=(404,),
        tag="Asset",
    ),
)
def get_asset_alias(call: Call) -> Any:
    """Show one alias."""
    wanted = call.path["asset_alias_id"]
    for name in call.store.assets.aliases():
        if show_assets.alias_number(name) == wanted:
            return show_assets.show_alias(name)
    raise ApiError(404, f"There is no alias with the number {wanted}.")
