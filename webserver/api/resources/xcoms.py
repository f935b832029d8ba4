"""XComs as they are stored: the web server makes no object of a class that a value names."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from ....control import xcoms as verbs
from ....database.listings import VersionRecord, Where
from ....database.values import TaskInstanceRow, XComEntry
from ....database.xcom_listings import XComRecord
from ....sdk.secrets_masker import redact
from ....sdk.xcom_serialization import describe
from .. import bodies_xcoms as bodies
from .. import filters, show_runs
from .. import task_answers_v1 as t1
from .. import task_answers_v2 as t2
from ..call import Call
from ..errors import ApiError
from ..operation import PAGE, Face, Query, bounds, operation, order, patterns
from .task_instances import TASK, find_instance, refuse_unknown_run

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
            *patterns("xcom_key", "dag_display_name", "run_id", "task_id"),
            *bounds("logical_date", "run_after", is_strict=True),
            order(),
        ),
        answer=t2.XComCollectionResponse,
        errors=(404,),
        tag="XCom",
    ),
)
def get_xcom_entries(call: Call) -> Any:
    """List the XComs of a task in a run; ~ stands for all DAGs, all runs, all tasks."""
    refuse_unknown_run(call)
    query = call.query
    where = [
        *filters.named(dag_id=call.dag_id, run_id=call.run_id, task_id=call.task_id),
        *filters.patterns(
            query,
            xcom_key="key",
            dag_display_name="dag_display_name",
            run_id="run_id",
            task_id="task_id",
        ),
        *filters.ranges(query, "logical_date", "run_after"),
    ]
    for name, field in (
        ("xcom_key", "key"),
        ("map_index", "map_index"),
        ("map_index_filter", "map_index"),
    ):
        if query.get(name) not in (None, ""):
            where.append(Where(field, "in", [query[name]]))
    asked = call.query.get("order_by")
    sort = call.order("map_index") if asked else ["run_after", "task_id", "map_index"]
    found = call.store.xcom_listings.list(where, sort, *call.window())
    versions = call.store.listings.versions([one.version_id for one in found.rows])
    shown = [_fields(call, one, versions.get(one.version_id)) for one in found.rows]
    if call.version == 1:
        items = [t1.XComCollectionItem(**fields) for fields in shown]
        return t1.XComCollection(xcom_entries=items, total_entries=found.total)
    answers = [t2.XComResponse(**fields) for fields in shown]
    return t2.XComCollectionResponse(xcom_entries=answers, total_entries=found.total)


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
    fields = _of(call, found[0])
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
    return t2.XComResponseNative(**_of(call, found), value=shown_value(found))


def shown_value(one: XComEntry) -> Any:
    """Return a value as clients see it: no object is made of it, and secrets are masked."""
    return redact(_plain(one.value), one.key)


def _plain(text: str) -> Any:
    value = json.loads(text)
    return describe(text) if isinstance(value, dict) and CLASS_KEY in value else value


def _of(call: Call, one: XComEntry) -> dict[str, Any]:
    """Return the fields of an XCom that was read with its value."""
    run = call.store.runs.get(one.dag_id, one.run_id)
    record = XComRecord(
        key=one.key,
        task_id=one.task_id,
        map_index=one.map_index,
        created_at=one.created_at,
        dag_id=one.dag_id,
        run_id=one.run_id,
        logical_date=run.logical_date,
        run_after=run.run_after,
        version_id=run.version_id,
    )
    versions = call.store.listings.versions([run.version_id])
    return _fields(call, record, versions.get(run.version_id))


def _fields(call: Call, one: XComRecord, version: VersionRecord | None) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "key": one.key,
        "timestamp": one.created_at,
        "map_index": one.map_index,
        "task_id": one.task_id,
        "dag_id": one.dag_id,
    }
    if call.version == 1:
        return {**fields, "execution_date": one.logical_date or one.run_after}
    return {
        **fields,
        "logical_date": one.logical_date,
        "run_id": one.run_id,
        "run_after": one.run_after,
        "dag_display_name": show_runs.dag_name(one.dag_id, version),
        "task_display_name": show_runs.task_name(one.task_id, version),
    }
