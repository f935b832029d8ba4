"""Which updates of assets wait for runs of which DAGs; and to let them wait no more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ....control import assets as verbs
from ....database.asset_listings import QueuedAssetRow
from .. import asset_answers_v1 as d1
from .. import asset_answers_v2 as d2
from .. import show_assets
from ..call import Call
from ..errors import ApiError
from ..operation import Face, Query, operation
from .assets import find_asset

_BEFORE = (Query("before", "instant"),)
_ASSET = "/assets/{asset_id}/queuedEvents"
_DAG = "/dags/{dag_id}/assets/queuedEvents"
_DAG_ASSET = "/dags/{dag_id}/assets/{asset_id}/queuedEvents"
_DATASET = "/datasets/queuedEvent/{uri}"
_DAG_DATASETS = "/dags/{dag_id}/datasets/queuedEvent"
_DAG_DATASET = f"{_DAG_DATASETS}/{{uri}}"
_LIST_V1: dict[str, Any] = {
    "query": _BEFORE,
    "answer": d1.QueuedEventCollection,
    "errors": (404,),
    "tag": "Dataset",
}
_LIST_V2: dict[str, Any] = {
    "query": _BEFORE,
    "answer": d2.QueuedEventCollectionResponse,
    "errors": (404,),
    "tag": "Asset",
}


def _chosen(call: Call) -> dict[str, Any]:
    """Return what the address names, as conditions.

    Raises:
        ApiError: the asset does not exist. DagNotFound: the DAG does not.
    """
    conditions: dict[str, Any] = {"before": call.query["before"]}
    if "dag_id" in call.path:
        call.store.dags.get(call.dag_id)
        conditions["dag_id"] = call.dag_id
    if "asset_id" in call.path or "uri" in call.path:
        conditions["asset_ids"] = [find_asset(call).id]
    return conditions


def _waiting(call: Call) -> Sequence[QueuedAssetRow]:
    return call.store.asset_listings.queued(**_chosen(call))


@operation(
    "GET",
    "read",
    v1=Face("get_dataset_queued_events", _DATASET, **_LIST_V1),
    v2=Face("get_asset_queued_events", _ASSET, **_LIST_V2),
)
@operation(
    "GET",
    "read",
    v1=Face("get_dag_dataset_queued_events", _DAG_DATASETS, **_LIST_V1),
    v2=Face("get_dag_asset_queued_events", _DAG, **_LIST_V2),
)
def get_queued_events(call: Call) -> Any:
    """List what waits for runs."""
    rows = _waiting(call)
    shown = [show_assets.show_queued(call, row) for row in rows]
    if call.version == 1:
        return d1.QueuedEventCollection(datasets=shown, total_entries=len(shown))
    return d2.QueuedEventCollectionResponse(queued_events=shown, total_entries=len(shown))


@operation(
    "GET",
    "read",
    v1=Face(
        "get_dag_dataset_queued_event",
        _DAG_DATASET,
        _BEFORE,
        answer=d1.QueuedEvent,
        errors=(404,),
        tag="Dataset",
    ),
    v2=Face(
        "get_dag_asset_queued_event",
        _DAG_ASSET,
        _BEFORE,
        answer=d2.QueuedEventResponse,
        errors=(404,),
        tag="Asset",
    ),
)
def get_queued_event(call: Call) -> Any:
    """Show what of one asset waits for a run of one DAG."""
    rows = _waiting(call)
    if not rows:
        raise ApiError(404, f"No event of this asset waits for a run of DAG {call.dag_id!r}.")
    return show_assets.show_queued(call, rows[0])


def _drop_v1(name: str, path: str) -> Face:
    return Face(name, path, _BEFORE, status=204, errors=(400, 404), tag="Dataset")


def _drop_v2(name: str, path: str) -> Face:
    return Face(name, path, _BEFORE, status=204, errors=(400, 404), tag="Asset")


@operation(
    "DELETE",
    "operate",
    v1=_drop_v1("delete_dataset_queued_events", _DATASET),
    v2=_drop_v2("delete_asset_queued_events", _ASSET),
)
@operation(
    "DELETE",
    "operate",
    v1=_drop_v1("delete_dag_dataset_queued_events", _DAG_DATASETS),
    v2=_drop_v2("delete_dag_asset_queued_events", _DAG),
)
@operation(
    "DELETE",
    "operate",
    v1=_drop_v1("delete_dag_dataset_queued_event", _DAG_DATASET),
    v2=_drop_v2("delete_dag_asset_queued_event", _DAG_ASSET),
)
def delete_queued_events(call: Call) -> None:
    """Let events wait no more for runs."""
    if not verbs.drop_queued(call.services, **_chosen(call)):
        raise ApiError(404, "No such event waits for a run.")
