"""Bulk acts of version 2: many creates, updates and deletes in one request.

Each entity goes through the same handler as a request of its own would; one that fails is told
in the answer and stops none of the others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ....database.errors import NotFound
from ....sdk.errors import TradewindError
from .. import bodies_bulk as bodies
from ..bulk_answers import BulkActionResponse, BulkResponse
from ..call import WILDCARD, Call
from ..errors import ApiError, status_of
from ..operation import Face, operation
from . import connections, dag_runs, pools, task_instance_acts, variables

Handler = Callable[[Call], Any]
_RUNS = "/dags/{dag_id}/dagRuns"


@dataclass(frozen=True, slots=True)
class Kind:
    """What the entities of a bulk request are. ``create`` None: they cannot be made so."""

    #: The path that a request of its own would have, for an entity or its name.
    path_of: Callable[[Call, Any], dict[str, Any]]
    name_of: Callable[[dict[str, Any]], str]
    get: Handler
    create: Handler | None
    update: Handler
    delete: Handler


def run_actions(call: Call, kind: Kind) -> BulkResponse:
    """Do all that the body says, in its order."""
    outcomes: dict[str, BulkActionResponse] = {}
    for action in call.body.actions:
        verb = str(type(action).__struct_config__.tag)
        outcome = outcomes.setdefault(verb, BulkActionResponse())
        for entity in action.entities:
            try:
                name = _act(call, kind, action, entity)
            except TradewindError as error:
                entry = {"error": str(error), "status_code": status_of(error)}
                outcome.errors.append(entry)
            else:
                if name is not None:
                    outcome.success.append(name)
    return BulkResponse(**outcomes)


def _act(call: Call, kind: Kind, action: Any, entity: Any) -> str | None:
    """Do one thing; return the name of what was changed, None: it was skipped."""
    path = kind.path_of(call, entity)
    mask = getattr(action, "update_mask", None)
    one = replace(call, path=path, body=entity, query={"update_mask": mask})
    if isinstance(action, bodies.Create):
        if kind.create is None:
            raise ApiError(405, "These cannot be created in bulk.")
        if not _exists(kind, one):
            kind.create(one)
        elif action.action_on_existence == "skip":
            return None
        elif action.action_on_existence == "overwrite":
            kind.update(one)
        else:
            raise ApiError(409, f"{kind.name_of(path)!r} exists already.")
        return kind.name_of(path)
    if action.action_on_non_existence == "skip" and not _exists(kind, one):
        return None
    (kind.update if isinstance(action, bodies.Update) else kind.delete)(one)
    return kind.name_of(path)


def _exists(kind: Kind, one: Call) -> bool:
    try:
        kind.get(one)
    except NotFound:
        return False
    except ApiError as error:
        if error.status == 404:
            return False
        raise
    return True


def _bulk(name: str, path: str, body: Any, tag: str) -> Face:
    return Face(name, path, body=body, answer=BulkResponse, tag=tag)


def _by(field: str, attribute: str) -> dict[str, Any]:
    return {
        "path_of": lambda _, entity: {
            field: entity if isinstance(entity, str) else getattr(entity, attribute)
        },
        "name_of": lambda path: str(path[field]),
    }


_POOLS = Kind(
    **_by("pool_name", "name"),
    get=pools.get_pool,
    create=pools.post_pool,
    update=pools.patch_pool,
    delete=pools.delete_pool,
)
_VARIABLES = Kind(
    **_by("variable_key", "key"),
    get=variables.get_variable,
    create=variables.post_variable,
    update=variables.patch_variable,
    delete=variables.delete_variable,
)
_CONNECTIONS = Kind(
    **_by("connection_id", "connection_id"),
    get=connections.get_connection,
    create=connections.post_connection,
    update=connections.patch_connection,
    delete=connections.delete_connection,
)


@operation("PATCH", "operate", v2=_bulk("bulk_pools", "/pools", bodies.PoolsBulk, "Pool"))
def bulk_pools(call: Call) -> Any:
    """Create, change and delete pools."""
    return run_actions(call, _POOLS)


@operation(
    "PATCH",
    "operate",
    v2=_bulk("bulk_variables", "/variables", bodies.VariablesBulk, "Variable"),
)
def bulk_variables(call: Call) -> Any:
    """Create, change and delete variables."""
    return run_actions(call, _VARIABLES)


@operation(
    "PATCH",
    "operate",
    v2=_bulk("bulk_connections", "/connections", bodies.ConnectionsBulk, "Connection"),
)
def bulk_connections(call: Call) -> Any:
    """Create, change and delete connections."""
    return run_actions(call, _CONNECTIONS)


def _in_address(call: Call, field: str, given: str | None) -> str:
    """Return an id that the entity names, or else the address.

    Raises:
        ApiError: neither does, or they differ.
    """
    known = str(call.path[field])
    if known == WILDCARD:
        if given in (None, WILDCARD):
            raise ApiError(400, f"{field}: the entity has to name it where the address has ~")
        return str(given)
    if given not in (None, known):
        raise ApiError(400, f"{field}: {given!r} is not the one in the address")
    return known


def _run_path(call: Call, entity: Any) -> dict[str, Any]:
    if isinstance(entity, str):
        return {"dag_id": _in_address(call, "dag_id", None), "dag_run_id": entity}
    return {
        "dag_id": _in_address(call, "dag_id", entity.dag_id),
        "dag_run_id": entity.dag_run_id,
    }


_DAG_RUNS = Kind(
    path_of=_run_path,
    name_of=lambda path: f"{path['dag_id']}.{path['dag_run_id']}",
    get=dag_runs.get_dag_run,
    create=None,
    update=dag_runs.patch_dag_run,
    delete=dag_runs.delete_dag_run,
)


@operation("PATCH", "edit", v2=_bulk("bulk_dag_runs", _RUNS, bodies.RunsBulk, "DagRun"))
def bulk_dag_runs(call: Call) -> Any:
    """Change and delete runs."""
    return run_actions(call, _DAG_RUNS)


def _instance_path(call: Call, entity: Any) -> dict[str, Any]:
    if isinstance(entity, str):
        entity = bodies.InstanceEntity(task_id=entity)
    path = {
        "dag_id": _in_address(call, "dag_id", entity.dag_id),
        "dag_run_id": _in_address(call, "dag_run_id", entity.dag_run_id),
        "task_id": entity.task_id,
    }
    return path if entity.map_index is None else {**path, "map_index": entity.map_index}


_INSTANCES = Kind(
    path_of=_instance_path,
    name_of=lambda path: (
        f"{path['dag_id']}.{path['dag_run_id']}.{path['task_id']}[{path.get('map_index', -1)}]"
    ),
    get=task_instance_acts.find_instances,
    create=None,
    update=task_instance_acts.patch_task_instance,
    delete=task_instance_acts.delete_task_instance,
)


@operation(
    "PATCH",
    "edit",
    v2=_bulk(
        "bulk_task_instances",
        f"{_RUNS}/{{dag_run_id}}/taskInstances",
        bodies.InstancesBulk,
        "Task Instance",
    ),
)
def bulk_task_instances(call: Call) -> Any:
    """Change and delete task instances."""
    return run_actions(call, _INSTANCES)
