"""XComs as they are stored: the web server makes no object of a class that a value names."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from ....control import xcoms as verbs
from ....database.values import TaskInstanceRow, XComEntry
from ....sdk.secrets_masker import redact
from ....sdk.xcom_serialization import describe
from .. import bodies_xcoms as bodies
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
    value = shown_value(found[0])
    if call.query["stringify"]:
        value = str(value)
    fields = _fields(call, found[0])
    if call.version == 1:
        return t1.XCom(**fields, value=value)
    return t2.XComResponseNative(**fields, value=value)


_KEY = f"{TASK}/xcomEntries/{{xcom_key}}"


@operation(
    "POST",
    "edit",
    v2=Face(
        "create_xcom_entry",
        f"{TASK}/xcomEntries",
        body=bodies.XComCreate,
        answer=t2.XComResponseNative,
        status=201,
        errors=(400, 404, 409),
        tag="XCom",
    ),
)
def create_xcom_entry(call: Call) -> Any:
    """Store an XCom as if the task had pushed it."""
    row = find_instance(_at(call, call.body.map_index))
    verbs.set_xcom(call.services, row, call.body.key, call.body.value, is_new=True)
    return _stored(call, row, call.body.key)


@operation(
    "PATCH",
    "edit",
    v2=Face(
        "update_xcom_entry",
        _KEY,
        body=bodies.XComUpdate,
        answer=t2.XComResponseNative,
        errors=(400, 404),
        tag="XCom",
    ),
)
def update_xcom_entry(call: Call) -> Any:
    """Give an XCom another value."""
    row, key = find_instance(_at(call, call.body.map_index)), str(call.path["xcom_key"])
    verbs.set_xcom(call.services, row, key, call.body.value, is_new=False)
    return _stored(call, row, key)


@operation(
    "DELETE",
    "operate",
    v2=Face(
        "delete_xcom_entry",
        _KEY,
        (Query("map_index", "integer", default=-1),),
        status=204,
        errors=(400, 404),
        tag="XCom",
    ),
)
def delete_xcom_entry(call: Call) -> None:
    """Delete an XCom."""
    verbs.delete_xcom(call.services, find_instance(call), str(call.path["xcom_key"]))


def _at(call: Call, map_index: int) -> Call:
    return replace(call, path={**call.path, "map_index": map_index})


def _stored(call: Call, row: TaskInstanceRow, key: str) -> Any:
    (found,) = call.store.xcoms.get_many(
        dag_id=row.dag_id,
        run_id=row.run_id,
        task_ids=[row.task_id],
        key=key,
        map_indexes=[row.map_index],
    )
    return t2.XComResponseNative(**_fields(call, found), value=shown_value(found))


def shown_value(one: XComEntry) -> Any:
    """Return a value as clients see it: no object is made of it, and secrets are masked."""
    return redact(_plain(one.value), one.key)


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
