"""Pools, with what their slots are taken by."""

from __future__ import annotations

import math
from typing import Any

from msgspec import UNSET, UnsetType

from ....control import pools as verbs
from ....database.errors import AlreadyExists, NotFound
from ....database.values import PoolRow
from ....sdk.default_pool import DEFAULT_POOL
from .. import answers_v1 as a1
from .. import answers_v2 as a2
from .. import bodies
from ..call import Call
from ..errors import ApiError
from ..operation import PAGE, Face, Query, operation, order, patterns
from .dags import check_mask
from .paged import page_of

_MASK = Query("update_mask", is_list=True)
_ORDERS = {"name": "name", "id": "name", "pool": "name", "slots": "slots"}
UNLIMITED = -1


@operation(
    "GET",
    "read",
    v1=Face(
        "get_pools",
        "/pools",
        (*PAGE, order(is_list=False)),
        answer=a1.PoolCollection,
        tag="Pool",
    ),
    v2=Face(
        "get_pools",
        "/pools",
        (*PAGE, order(), *patterns("pool_name")),
        answer=a2.PoolCollectionResponse,
        tag="Pool",
    ),
)
def get_pools(call: Call) -> Any:
    """List pools."""
    page, total = page_of(call, verbs.list_pools(call.services), _ORDERS, "pool_name")
    shown = [_show(call, row) for row in page]
    if call.version == 1:
        return a1.PoolCollection(pools=shown, total_entries=total)
    return a2.PoolCollectionResponse(pools=shown, total_entries=total)


def _show(call: Call, row: PoolRow) -> Any:
    occupied = row.running + row.queued + (row.deferred if row.include_deferred else 0)
    is_unlimited = row.slots == UNLIMITED
    open_slots: Any = math.inf if is_unlimited else row.slots - occupied
    fields: dict[str, Any] = {
        "name": row.name,
        "slots": row.slots,
        "description": row.description or None,
        "include_deferred": row.include_deferred,
        "occupied_slots": occupied,
        "running_slots": row.running,
        "queued_slots": row.queued,
        "scheduled_slots": row.scheduled,
        "deferred_slots": row.deferred,
        "open_slots": UNLIMITED if is_unlimited else open_slots,
    }
    if call.version == 1:
        return a1.Pool(**fields)
    return a2.PoolResponse(**fields, team_name=None)


def _name(call: Call) -> str:
    return str(call.path["pool_name"])


@operation(
    "GET",
    "read",
    v1=Face("get_pool", "/pools/{pool_name}", answer=a1.Pool, errors=(404,), tag="Pool"),
    v2=Face("get_pool", "/pools/{pool_name}", answer=a2.PoolResponse, errors=(404,), tag="Pool"),
)
def get_pool(call: Call) -> Any:
    """Show one pool."""
    return _show(call, verbs.get_pool(call.services, _name(call)))


@operation(
    "POST",
    "operate",
    v1=Face(
        "post_pool",
        "/pools",
        body=bodies.PoolV1,
        answer=a1.Pool,
        errors=(400, 409),
        tag="Pool",
    ),
    v2=Face(
        "post_pool",
        "/pools",
        body=bodies.PoolV2,
        answer=a2.PoolResponse,
        status=201,
        errors=(409,),
        tag="Pool",
    ),
)
def post_pool(call: Call) -> Any:
    """Create a pool."""
    body = call.body
    for name in ("name", "slots"):
        if isinstance(getattr(body, name), UnsetType):
            raise ApiError(400, f"{{'{name}': ['Missing data for required field.']}}")
    if any(row.name == body.name for row in call.store.pools.list()):
        raise AlreadyExists(f"The pool {body.name!r} already exists.")
    verbs.set_pool(
        call.services,
        body.name,
        body.slots,
        _or(body.description, "") or "",
        include_deferred=bool(_or(body.include_deferred, False)),
    )
    return _show(call, verbs.get_pool(call.services, body.name))


def _or(value: Any, default: Any) -> Any:
    return default if isinstance(value, UnsetType) else value


@operation(
    "PATCH",
    "operate",
    v1=Face(
        "patch_pool",
        "/pools/{pool_name}",
        (_MASK,),
        body=bodies.PoolV1,
        answer=a1.Pool,
        errors=(400, 404, 409),
        tag="Pool",
    ),
    v2=Face(
        "patch_pool",
        "/pools/{pool_name}",
        (_MASK,),
        body=bodies.PoolPatchV2,
        answer=a2.PoolResponse,
        errors=(400, 404),
        tag="Pool",
    ),
)
def patch_pool(call: Call) -> Any:
    """Change a pool. Its name is how tasks know it, and stays."""
    body = call.body
    mask = check_mask(call, {"name", "pool", "slots", "description", "include_deferred"})
    row = verbs.get_pool(call.services, _name(call))
    new_name = _or(getattr(body, "name", getattr(body, "pool", None)), None)
    if new_name not in (None, row.name):
        if row.name == DEFAULT_POOL:
            raise ApiError(400, f"{row.name} cannot be renamed.")
        if any(one.name == new_name for one in call.store.pools.list()):
            raise AlreadyExists(f"The pool {new_name!r} already exists.")
        raise ApiError(400, "A pool cannot be renamed: tasks name it. Create another one.")
    slots = _or(body.slots, None)
    deferred = _or(body.include_deferred, None)
    description = row.description
    if "description" in mask and body.description is not UNSET:
        description = body.description or ""
    verbs.set_pool(
        call.services,
        row.name,
        slots if "slots" in mask and slots is not None else row.slots,
        description,
        include_deferred=(
            deferred
            if "include_deferred" in mask and deferred is not None
            else row.include_deferred
        ),
    )
    return _show(call, verbs.get_pool(call.services, row.name))


@operation(
    "DELETE",
    "operate",
    v1=Face("delete_pool", "/pools/{pool_name}", status=204, errors=(400, 404), tag="Pool"),
    v2=Face("delete_pool", "/pools/{pool_name}", status=204, errors=(400, 404), tag="Pool"),
)
def delete_pool(call: Call) -> None:
    """Delete a pool."""
    if _name(call) == DEFAULT_POOL:
        raise ApiError(400, "The default pool cannot be deleted.")
    try:
        verbs.delete_pool(call.services, _name(call))
    except NotFound:
        raise ApiError(404, f"There is no pool {_name(call)!r}.") from None
