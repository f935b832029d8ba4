"""DAGs: list, show, pause, delete; their tasks, sources, tags and versions."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec
from flask import Response

from ....control import delete as delete_verb
from ....control import pause
from ....control.reparse import reparse_file
from ....database.errors import NotFound
from ....database.listings import Where
from ....sdk.states import DagRunState
from .. import answers_v1 as a1
from .. import answers_v2 as a2
from .. import bodies, filters, show_dags
from .. import task_answers_v1 as t1
from .. import task_answers_v2 as t2
from ..call import WILDCARD, Call
from ..errors import ApiError
from ..file_tokens import read_file_token
from ..operation import PAGE, Face, Query, bounds, operation, order, patterns, states, texts

_FIELDS = Query("fields", is_list=True)
_MASK = Query("update_mask", is_list=True)
_DAGS_V1 = (
    *PAGE,
    *texts("tags"),
    Query("only_active", "boolean", default=True),
    Query("dag_id_pattern"),
)
_SWITCHES = (
    ("paused", "is_paused"),
    ("has_import_errors", "has_import_errors"),
    ("has_asset_schedule", "has_asset_schedule"),
)
_DAGS_V2 = (
    *PAGE,
    *texts("tags", "owners"),
    Query("tags_match_mode", choices=("any", "all")),
    *patterns("dag_id", "dag_display_name"),
    Query("exclude_stale", "boolean", default=True),
    Query("paused", "boolean"),
)


@operation(
    "GET",
    "read",
    v1=Face(
        "get_dags",
        "/dags",
        (*_DAGS_V1, order(is_list=False), Query("paused", "boolean"), _FIELDS),
        answer=a1.DAGCollection,
        tag="DAG",
    ),
    v2=Face(
        "get_dags",
        "/dags",
        (
            *_DAGS_V2,
            order(),
            Query("has_import_errors", "boolean"),
            Query("last_dag_run_state", choices=tuple(one.value for one in DagRunState)),
            states("dag_run_state", DagRunState),
            *texts("timetable_type"),
            *bounds("dag_run_start_date", "dag_run_end_date", is_strict=True),
            Query("bundle_name"),
            Query("bundle_version"),
            Query("has_asset_schedule", "boolean"),
            Query("asset_dependency"),
            Query("is_favorite", "boolean"),
        ),
        answer=a2.DAGCollectionResponse,
        tag="DAG",
    ),
)
def get_dags(call: Call) -> Any:
    """List DAGs."""
    limit, offset = call.window()
    found = call.store.listings.dags(_where(call), _order(call), limit, offset)
    shown = show_dags.show_dags(call, found.rows)
    if call.version == 1:
        return chosen_fields(call, a1.DAGCollection(dags=shown, total_entries=found.total), "dags")
    return a2.DAGCollectionResponse(dags=shown, total_entries=found.total)


def _order(call: Call) -> list[str]:
    return call.order("dag_id")


def _where(call: Call) -> list[Where]:
    query = call.query
    where: list[Where] = []
    if query.get("only_active") or query.get("exclude_stale"):
        where.append(Where("is_active", "in", [True]))
    for name, field in _SWITCHES:
        if query.get(name) is not None:
            where.append(Where(field, "in", [query[name]]))
    if query.get("tags"):
        mode = "all" if query.get("tags_match_mode") == "all" else "in"
        where.append(Where("tags", mode, query["tags"]))
    for owner in query.get("owners") or ():
        where.append(Where("owners", "part", owner))
    if query.get("last_dag_run_state"):
        where.append(Where("last_dag_run_state", "in", [query["last_dag_run_state"]]))
    if query.get("is_favorite") is not None:
        operator = "in" if query["is_favorite"] else "not_in"
        where.append(Where("dag_id", operator, sorted(favorites_of(call))))
    if query.get("asset_dependency"):
        where.append(Where("asset_dependency", "part", query["asset_dependency"]))
    if query.get("bundle_version") or query.get("bundle_name") not in (None, show_dags.BUNDLE):
        where.append(Where("dag_id", "in", []))
    where += filters.listed(
        query, dag_run_state="last_dag_run_state", timetable_type="timetable_type"
    )
    where += filters.ranges(query, "dag_run_start_date", "dag_run_end_date")
    if query.get("dag_id_pattern") == WILDCARD:
        return where
    if call.version == 1 and query.get("dag_id_pattern"):
        where.append(Where("dag_id", "part", query["dag_id_pattern"]))
    if call.version == 2:
        where += filters.patterns(query, dag_id="dag_id", dag_display_name="dag_display_name")
    return where


def favorites_of(call: Call) -> frozenset[str]:
    """Return the DAGs that the user who asks has marked."""
    return frozenset() if call.user is None else call.store.favorites.dag_ids(call.user.id)


def chosen_fields(call: Call, answer: Any, plural: str | None = None) -> Any:
    """Return an answer of version 1 with only the ``fields`` that were asked for.

    Raises:
        ApiError: one of them does not exist.
    """
    wanted = call.query.get("fields")
    if not wanted:
        return answer
    rows = getattr(answer, plural) if plural else [answer]
    known = set(type(rows[0]).__struct_fields__) if rows else set(wanted)
    unknown = sorted(set(wanted) - known)
    if unknown:
        raise ApiError(400, f"There are no fields {unknown}")
    chosen = [{name: getattr(row, name) for name in wanted} for row in rows]
    return {plural: chosen, "total_entries": answer.total_entries} if plural else chosen[0]


@operation(
    "GET",
    "read",
    v1=Face("get_dag", "/dags/{dag_id}", (_FIELDS,), answer=a1.DAG, errors=(404,), tag="DAG"),
    v2=Face("get_dag", "/dags/{dag_id}", answer=a2.DAGResponse, errors=(404,), tag="DAG"),
)
def get_dag(call: Call) -> Any:
    """Show one DAG."""
    return chosen_fields(call, show_dags.show_dags(call, [call.store.dags.get(call.dag_id)])[0])


@operation(
    "GET",
    "read",
    v1=Face(
        "get_dag_details",
        "/dags/{dag_id}/details",
        (_FIELDS,),
        answer=a1.DAGDetail,
        errors=(404,),
        tag="DAG",
    ),
    v2=Face(
        "get_dag_details",
        "/dags/{dag_id}/details",
        answer=a2.DAGDetailsResponse,
        errors=(404,),
        tag="DAG",
    ),
)
def get_dag_details(call: Call) -> Any:
    """Show one DAG with all that its file says."""
    is_favorite = call.dag_id in favorites_of(call)
    row = call.store.dags.get(call.dag_id)
    return chosen_fields(call, show_dags.show_details(call, row, is_favorite=is_favorite))


@operation(
    "PATCH",
    "edit",
    v1=Face(
        "patch_dag",
        "/dags/{dag_id}",
        (_MASK,),
        body=bodies.DagPatch,
        answer=a1.DAG,
        errors=(404,),
        tag="DAG",
    ),
    v2=Face(
        "patch_dag",
        "/dags/{dag_id}",
        (_MASK,),
        body=bodies.DagPatch,
        answer=a2.DAGResponse,
        errors=(400, 404),
        tag="DAG",
    ),
)
def patch_dag(call: Call) -> Any:
    """Pause or un-pause a DAG."""
    check_mask(call, {"is_paused"})
    row = call.store.dags.get(call.dag_id)
    pause.set_paused(call.services, [row], is_paused=call.body.is_paused)
    return show_dags.show_dags(call, [call.store.dags.get(call.dag_id)])[0]


@operation(
    "PATCH",
    "edit",
    v1=Face(
        "patch_dags",
        "/dags",
        (*_DAGS_V1, _MASK),
        body=bodies.DagPatch,
        answer=a1.DAGCollection,
        tag="DAG",
    ),
    v2=Face(
        "patch_dags",
        "/dags",
        (*_DAGS_V2, _MASK),
        body=bodies.DagPatch,
        answer=a2.DAGCollectionResponse,
        tag="DAG",
    ),
)
def patch_dags(call: Call) -> Any:
    """Pause or un-pause all DAGs that the filters choose; without any filter, none."""
    check_mask(call, {"is_paused"})
    query = call.query
    where = _where(call)
    if not any(query.get(name) for name in ("tags", "owners", *_pattern_names(query))):
        where.append(Where("dag_id", "in", []))
    limit, offset = call.window()
    found = call.store.listings.dags(where, ["dag_id"], limit, offset)
    pause.set_paused(call.services, found.rows, is_paused=call.body.is_paused)
    rows = [call.store.dags.get(row.dag_id) for row in found.rows]
    shown = show_dags.show_dags(call, rows)
    collection = a1.DAGCollection if call.version == 1 else a2.DAGCollectionResponse
    return collection(dags=shown, total_entries=found.total)


def _pattern_names(query: Any) -> list[str]:
    return [name for name in query if name.endswith("_pattern")]


def check_mask(call: Call, allowed: set[str]) -> set[str]:
    """Return the fields that ``update_mask`` names, or all that are allowed.

    Raises:
        ApiError: it names another.
    """
    mask = [
        name for text in call.query.get("update_mask") or () for name in text.split(",") if name
    ]
    unknown = sorted(set(mask) - allowed)
    if unknown:
        raise ApiError(400, f"update_mask: there is nothing to change at {', '.join(unknown)}")
    return set(mask) or allowed


@operation(
    "DELETE",
    "edit",
    v1=Face("delete_dag", "/dags/{dag_id}", status=204, errors=(404, 409), tag="DAG"),
    v2=Face("delete_dag", "/dags/{dag_id}", status=200, errors=(404, 409), tag="DAG"),
)
def delete_dag(call: Call) -> Any:
    """Delete a DAG with all its history; its file stays."""
    delete_verb.delete_dag(call.services, call.dag_id)
    return None if call.version == 1 else {}


@operation(
    "GET",
    "read",
    v1=Face(
        "get_tasks",
        "/dags/{dag_id}/tasks",
        (order(is_list=False),),
        answer=t1.TaskCollection,
        errors=(404,),
        tag="DAG",
    ),
    v2=Face(
        "get_tasks",
        "/dags/{dag_id}/tasks",
        (order(is_list=False),),
        answer=t2.TaskCollectionResponse,
        errors=(400, 404),
        tag="Task",
    ),
)
def get_tasks(call: Call) -> Any:
    """List the tasks of a DAG."""
    version = call.store.dags.newest(call.dag_id)
    tasks = [show_dags.show_task(call.version, version, task) for task in version.dag.tasks]
    (field,) = call.order("task_id")[:1]
    name = field.removeprefix("-")
    if name not in type(tasks[0]).__struct_fields__ if tasks else False:
        raise ApiError(400, f"There is no ordering by {name!r}.")
    tasks.sort(key=lambda task: str(getattr(task, name)), reverse=field.startswith("-"))
    if call.version == 1:
        return t1.TaskCollection(tasks=tasks)
    return t2.TaskCollectionResponse(tasks=tasks, total_entries=len(tasks))


@operation(
    "GET",
    "read",
    v1=Face("get_task", "/dags/{dag_id}/tasks/{task_id}", answer=t1.Task, errors=(404,), tag="DAG"),
    v2=Face(
        "get_task",
        "/dags/{dag_id}/tasks/{task_id}",
        answer=t2.TaskResponse,
        errors=(404,),
        tag="Task",
    ),
)
def get_task(call: Call) -> Any:
    """Show one task of a DAG."""
    version = call.store.dags.newest(call.dag_id)
    task = version.structure.tasks.get(call.task_id)
    if task is None:
        raise ApiError(404, f"DAG {call.dag_id!r} has no task {call.task_id!r}.")
    return show_dags.show_task(call.version, version, task)


_REPARSE: dict[str, Any] = {"status": 201, "errors": (404,)}


@operation(
    "PUT",
    "edit",
    v1=Face("reparse_dag_file", "/parseDagFile/{file_token}", tag="DAG", **_REPARSE),
    v2=Face("reparse_dag_file", "/parseDagFile/{file_token}", tag="DAG Parsing", **_REPARSE),
)
def reparse_dag_file(call: Call) -> Any:
    """Have a file parsed again as soon as possible, though nothing of it has changed."""
    reparse_file(call.services, read_file_token(str(call.path["file_token"])))
    return None if call.version == 1 else {}


@operation(
    "GET",
    "read",
    v1=Face(
        "get_dag_source",
        "/dagSources/{file_token}",
        errors=(404, 406),
        tag="DAG",
        media_type="text/plain",
    ),
)
def get_dag_source_by_token(call: Call) -> Any:
    """Return the text of a DAG file, as text or as JSON."""
    relative_path = read_file_token(str(call.path["file_token"]))
    file = call.store.files.get(relative_path)
    if file is None or not file.dag_ids:
        raise NotFound("There is no such file.")
    return _source(call, call.store.dags.source(file.dag_ids[0]), {})


@operation(
    "GET",
    "read",
    v2=Face(
        "get_dag_source",
        "/dagSources/{dag_id}",
        (Query("version_number", "integer"),),
        answer=a2.DAGSourceResponse,
        errors=(404, 406),
        tag="DagSource",
    ),
)
def get_dag_source(call: Call) -> Any:
    """Return the text of a DAG's file, as JSON or as text."""
    row = call.store.dags.get(call.dag_id)
    number = call.query["version_number"]
    content = call.store.dags.source(call.dag_id, number)
    about = {
        "dag_id": row.dag_id,
        "version_number": row.version_number if number is None else number,
        "dag_display_name": row.dag_display_name,
    }
    return _source(call, content, about)


def _source(call: Call, content: str, about: dict[str, Any]) -> Response:
    wants_text = "text/plain" in call.accept
    wants_json = "json" in call.accept or "*/*" in call.accept or not call.accept
    if wants_text or (call.version == 1 and "json" not in call.accept and wants_json):
        return Response(content, content_type="text/plain; charset=utf-8")
    if not wants_json:
        raise ApiError(406, "The source is there as text/plain and application/json.")
    answer = msgspec.json.encode({"content": content, **about})
    return Response(answer, content_type="application/json")


@operation(
    "GET",
    "read",
    v2=Face(
        "get_dag_tags",
        "/dagTags",
        (*PAGE, order(), *patterns("tag_name")),
        answer=a2.DAGTagCollectionResponse,
        tag="DAG",
    ),
)
def get_dag_tags(call: Call) -> Any:
    """List the tags that DAGs have."""
    part = (call.query["tag_name_pattern"] or "").replace("%", "").lower()
    prefix = call.query["tag_name_prefix_pattern"] or ""
    names = [
        name for name in call.store.dags.tags() if part in name.lower() and name.startswith(prefix)
    ]
    if call.order("name")[0] == "-name":
        names.reverse()
    limit, offset = call.window()
    page = names[offset : offset + limit]
    return a2.DAGTagCollectionResponse(tags=page, total_entries=len(names))


@operation(
    "GET",
    "read",
    v2=Face(
        "get_dag_versions",
        "/dags/{dag_id}/dagVersions",
        (*PAGE, order(), Query("version_number", "integer"), Query("bundle_name")),
        answer=a2.DAGVersionCollectionResponse,
        errors=(404,),
        tag="DagVersion",
    ),
)
def get_dag_versions(call: Call) -> Any:
    """List the versions of a DAG."""
    row = call.store.dags.get(call.dag_id)
    found = call.store.dags.versions(call.dag_id)
    number, bundle = call.query["version_number"], call.query["bundle_name"]
    if number is not None:
        found = [one for one in found if one.number == number]
    if bundle not in (None, show_dags.BUNDLE):
        found = []
    if not call.order("version_number")[0].startswith("-"):
        found.reverse()
    limit, offset = call.window()
    shown = [_version(row, one) for one in found[offset : offset + limit]]
    return a2.DAGVersionCollectionResponse(dag_versions=shown, total_entries=len(found))


@operation(
    "GET",
    "read",
    v2=Face(
        "get_dag_version",
        "/dags/{dag_id}/dagVersions/{version_number}",
        answer=a2.DagVersionResponse,
        errors=(404,),
        tag="DagVersion",
    ),
)
def get_dag_version(call: Call) -> Any:
    """Show one version of a DAG."""
    row = call.store.dags.get(call.dag_id)
    for one in call.store.dags.versions(call.dag_id):
        if one.number == call.path["version_number"]:
            return _version(row, one)
    raise ApiError(404, f"DAG {call.dag_id!r} has no version {call.path['version_number']!r}.")


def _version(row: Any, one: Any) -> a2.DagVersionResponse:
    return a2.DagVersionResponse(
        id=str(uuid.UUID(int=one.id)),
        version_number=one.number,
        dag_id=row.dag_id,
        bundle_name=show_dags.BUNDLE,
        bundle_version=None,
        created_at=one.created_at,
        dag_display_name=row.dag_display_name,
        bundle_url=None,
    )
