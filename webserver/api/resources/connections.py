"""Connections. Their secrets go in, and never come out."""

from __future__ import annotations

import json
from typing import Any

from msgspec import UnsetType

from ....control import connections as verbs
from ....control.default_connections import create_defaults
from ....database.errors import NotFound
from ....sdk.connection import Connection
from ....sdk.secrets_masker import is_secret_name
from .. import answers_v1 as a1
from .. import answers_v2 as a2
from .. import bodies
from ..call import Call
from ..errors import ApiError
from ..operation import PAGE, Face, Query, operation, order, patterns
from .dags import check_mask
from .paged import page_of

_MASK = Query("update_mask", is_list=True)
_FIELDS = ("conn_type", "description", "host", "login", "schema", "port", "password", "extra")
_ORDERS = {
    "connection_id": "conn_id",
    "conn_id": "conn_id",
    "conn_type": "conn_type",
    "description": "description",
    "host": "host",
    "port": "port",
    "id": "conn_id",
}


@operation(
    "GET",
    "operate",
    v1=Face(
        "get_connections",
        "/connections",
        (*PAGE, order(is_list=False)),
        answer=a1.ConnectionCollection,
        tag="Connection",
    ),
    v2=Face(
        "get_connections",
        "/connections",
        (*PAGE, order(), *patterns("connection_id")),
        answer=a2.ConnectionCollectionResponse,
        tag="Connection",
    ),
)
def get_connections(call: Call) -> Any:
    """List connections."""
    rows = verbs.list_connections(call.services)
    page, total = page_of(call, rows, _ORDERS, "connection_id")
    if call.version == 1:
        items = [a1.ConnectionCollectionItem(**_plain(one)) for one in page]
        return a1.ConnectionCollection(connections=items, total_entries=total)
    shown = [_show(call, one) for one in page]
    return a2.ConnectionCollectionResponse(connections=shown, total_entries=total)


def _plain(one: Connection) -> dict[str, Any]:
    return {
        "connection_id": one.conn_id or "",
        "conn_type": one.conn_type or "",
        "description": one.description or None,
        "host": one.host or None,
        "login": one.login or None,
        "schema": one.schema or None,
        "port": one.port,
    }


def _show(call: Call, one: Connection) -> Any:
    extra = _masked_extra(one.extra)
    if call.version == 1:
        return a1.Connection(**_plain(one), extra=extra)
    password = verbs.MASK if one.password else None
    return a2.ConnectionResponse(**_plain(one), password=password, extra=extra, team_name=None)


def _masked_extra(text: str | None) -> str | None:
    """Hide what looks secret in the extra; an extra that is no JSON is hidden as a whole."""
    if not text:
        return None
    try:
        plain = json.loads(text)
    except (ValueError, RecursionError):
        return verbs.MASK
    masked = _masked(plain)
    return text if masked == plain else json.dumps(masked)


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: verbs.MASK if is_secret_name(key) and inner else _masked(inner)
            for key, inner in value.items()
        }
    return [_masked(inner) for inner in value] if isinstance(value, list) else value


def _id(call: Call) -> str:
    return str(call.path["connection_id"])


@operation(
    "GET",
    "operate",
    v1=Face(
        "get_connection",
        "/connections/{connection_id}",
        answer=a1.Connection,
        errors=(404,),
        tag="Connection",
    ),
    v2=Face(
        "get_connection",
        "/connections/{connection_id}",
        answer=a2.ConnectionResponse,
        errors=(404,),
        tag="Connection",
    ),
)
def get_connection(call: Call) -> Any:
    """Show one connection without its secrets."""
    return _show(call, verbs.get_connection(call.services, _id(call)))


@operation(
    "POST",
    "operate",
    v1=Face(
        "post_connection",
        "/connections",
        body=bodies.ConnectionBody,
        answer=a1.Connection,
        errors=(400, 409),
        tag="Connection",
    ),
    v2=Face(
        "post_connection",
        "/connections",
        body=bodies.ConnectionBody,
        answer=a2.ConnectionResponse,
        status=201,
        errors=(409,),
        tag="Connection",
    ),
)
def post_connection(call: Call) -> Any:
    """Create a connection."""
    fields = _given(call.body, set(_FIELDS))
    made = Connection.from_fields({"conn_id": call.body.connection_id, **fields})
    verbs.add_connection(call.services, made)
    return _show(call, verbs.get_connection(call.services, call.body.connection_id))


def _given(body: Any, mask: set[str]) -> dict[str, Any]:
    return {
        name: getattr(body, name)
        for name in _FIELDS
        if name in mask and not isinstance(getattr(body, name), UnsetType)
    }


@operation(
    "PATCH",
    "operate",
    v1=Face(
        "patch_connection",
        "/connections/{connection_id}",
        (_MASK,),
        body=bodies.ConnectionPatchV1,
        answer=a1.Connection,
        errors=(400, 404),
        tag="Connection",
    ),
    v2=Face(
        "patch_connection",
        "/connections/{connection_id}",
        (_MASK,),
        body=bodies.ConnectionBody,
        answer=a2.ConnectionResponse,
        errors=(400, 404),
        tag="Connection",
    ),
)
def patch_connection(call: Call) -> Any:
    """Change a connection. What is left out, and a secret that is ``***``, stays as it is."""
    mask = check_mask(call, {"connection_id", *_FIELDS})
    stored = verbs.get_connection(call.services, _id(call))
    if not isinstance(call.body.connection_id, UnsetType) and call.body.connection_id != _id(call):
        raise ApiError(400, "The connection_id in the body is not the one in the address.")
    given = _given(call.body, mask)
    if given.get("password") == verbs.MASK:
        del given["password"]
    if isinstance(given.get("extra"), str):
        given["extra"] = _unmasked(given["extra"], stored.extra)
    changed = Connection.from_fields({**stored.to_fields(), **given, "conn_id": _id(call)})
    verbs.add_connection(call.services, changed, is_overwriting=True)
    return _show(call, verbs.get_connection(call.services, _id(call)))


def _unmasked(text: str, stored: str | None) -> str:
    """Put the stored secrets back where the extra that was sent has ``***``."""
    if text == verbs.MASK:
        return stored or ""
    try:
        return json.dumps(_merge(json.loads(text), json.loads(stored or "{}")))
    except (ValueError, RecursionError):
        return text


def _merge(sent: Any, stored: Any) -> Any:
    if isinstance(sent, dict) and isinstance(stored, dict):
        return {key: _merge(value, stored.get(key)) for key, value in sent.items()}
    return stored if sent == verbs.MASK and stored is not None else sent


@operation(
    "DELETE",
    "operate",
    v1=Face(
        "delete_connection",
        "/connections/{connection_id}",
        status=204,
        errors=(404,),
        tag="Connection",
    ),
    v2=Face(
        "delete_connection",
        "/connections/{connection_id}",
        status=204,
        errors=(404,),
        tag="Connection",
    ),
)
def delete_connection(call: Call) -> None:
    """Delete a connection."""
    if call.store.connections.get(_id(call)) is None:
        raise NotFound(f"There is no connection {_id(call)!r}.")
    verbs.delete_connection(call.services, _id(call))


@operation(
    "POST",
    "operate",
    v1=Face("test_connection", "/connections/test", body=bodies.ConnectionBody, tag="Connection"),
    v2=Face("test_connection", "/connections/test", body=bodies.ConnectionBody, tag="Connection"),
)
def test_connection(call: Call) -> Any:
    """Refused: connections are not tried out from the web server."""
    raise ApiError(403, "Testing connections is disabled.")


@operation(
    "POST",
    "operate",
    v2=Face("create_default_connections", "/connections/defaults", status=204, tag="Connection"),
)
def create_default_connections(call: Call) -> None:
    """Create the connections that Airflow's examples expect; those that are there stay."""
    create_defaults(call.services)
