"""XComs as they are stored: the web server makes no object of a class that a value names."""

from __future__ import annotations

import json
from typing import Any

from ....database.values import XComEntry
from ....sdk.secrets_masker import redact
from ....sdk.xcom_serialization import describe
from .. import show_runs
from .. import task_answers_v1 as t1
from .. import task_answers_v2 as t2
from ..call import Call
from ..errors import ApiError
from ..operation import PAGE, Face, Query, operation, order, patterns
from .task_instances import TASK, find_instance

_MAP_INDEX = Query("map_index", "integer")
CLASS_KEY = "__classname__"


@operation(
    "GET",
    "read",
    v1=Face(
        "get_xcom_entries",
        f"{TASK}/xcomEntries",
        (*PAGE, _MAP_INDEX, Query("xcom_key")),
        answer=t1.XComCollection,
        errors=(404,),
        tag="XCom",
    ),
    v2=Face(
        "get_xcom_entries",
        f"{TASK}/xcomEntries",
        (
            *PAGE,
            _MAP_INDEX,
            Query("map_index_filter", "integer"),
            Query("xcom_key"),
            *patterns("xcom_key"),
            order(),
        ),
        answer=t2.XComCollectionResponse,
        errors=(404,),
        tag="XCom",
    ),
)
def get_xcom_entries(call: Call) -> Any:
    """List the XComs of a task in a run."""
    call.store.runs.get(call.dag_id, call.run_id)
    query = call.query
    wanted = query.get("map_index")
    if wanted is None:
        wanted = query.get("map_index_filter")
    entries = call.store.xcoms.get_many(
        dag_id=call.dag_id,
        run_id=call.run_id,
        task_ids=[call.task_id],
        key=query["xcom_key"] or None,
        map_indexes=None if wanted is None else [wanted],
    )
    part = (query.get("xcom_key_pattern") or "").replace("%", "").lower()
    prefix = query.get("xcom_key_prefix_pattern") or ""
    entries = [one for one in entries if part in one.key.lower() and one.key.startswith(prefix)]
    entries.sort(key=lambda one: (one.map_index, one.key))
    limit, offset = call.window()
    shown = [_fields(call, one) for one in entries[offset : offset + limit]]
    if call.version == 1:
        items = [t1.XComCollectionItem(**fields) for fields in shown]
        return t1.XComCollection(xcom_entries=items, total_entries=len(entries))
    found = [t2.XComResponse(**fields) for fields in shown]
    return t2.XComCollectionResponse(xcom_entries=found, total_entries=len(entries))


@operation(
    "GET",
    "read",
    v1=Face(
        "get_xcom_entry",
        f"{TASK}/xcomEntries/{{xcom_key}}",
        (
            Query("map_index", "integer", default=-1),
            Query("deserialize", "boolean", default=False),
            Query("stringify", "boolean", default=True),
        ),
        answer=t1.XCom,
        errors=(400, 404),
        tag="XCom",
    ),
    v2=Face(
        "get_xcom_entry",
        f"{TASK}/xcomEntries/{{xcom_key}}",
        (
            Query("map_index", "integer", default=-1),
            Query("deserialize", "boolean", default=False),
            Query("stringify", "boolean", default=False),
        ),
        answer=t2.XComResponseNative,
        errors=(400, 404),
        tag="XCom",
    ),
)
def get_xcom_entry(call: Call) -> Any:
    """Show one XCom with its value."""
    find_instance(call)
    if call.query["deserialize"]:
        raise ApiError(400, "XComs are not deserialized here: no class is made in the web server.")
    key = str(call.path["xcom_key"])
    found = call.store.xcoms.get_many(
        dag_id=call.dag_id,
        run_id=call.run_id,
        task_ids=[call.task_id],
        key=key,
        map_indexes=[call.map_index],
    )
    if not found:
        raise ApiError(404, f"Task instance {call.task_id!r} has left no XCom {key!r}.")
    value = redact(_plain(found[0].value), key)
    if call.query["stringify"]:
        value = str(value)
    fields = _fields(call, found[0])
    if call.version == 1:
        return t1.XCom(**fields, value=value)
    return t2.XComResponseNative(**fields, value=value)


def _plain(text: str) -> Any:
    value = json.loads(text)
    return describe(text) if isinstance(value, dict) and CLASS_KEY in value else value


def _fields(call: Call, one: XComEntry) -> dict[str, Any]:
    run = call.store.runs.get(one.dag_id, one.run_id)
    fields: dict[str, Any] = {
        "key": one.key,
        "timestamp": one.created_at,
        "map_index": one.map_index,
        "task_id": one.task_id,
        "dag_id": one.dag_id,
    }
    if call.version == 1:
        return {**fields, "execution_date": run.logical_date or run.run_after}
    record = call.store.listings.versions([run.version_id]).get(run.version_id)
    return {
        **fields,
        "logical_date": run.logical_date,
        "run_id": one.run_id,
        "run_after": run.run_after,
        "dag_display_name": show_runs.dag_name(one.dag_id, record),
        "task_display_name": show_runs.task_name(one.task_id, record),
    }
