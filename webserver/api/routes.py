"""Makes Flask's routes of the operations, and answers through them."""

from __future__ import annotations

import json
import logging
import re
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from flask import Flask, Response, g, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from ...control.access import AccessDenied
from ...sdk.errors import TradewindError
from ..auth import is_anybody
from ..idempotency import once
from ..permissions import missing, needs_of_operation
from ..services import services
from .authenticate import find_user, not_authenticated
from .call import WILDCARD, Call
from .errors import ApiError, error_response
from .operation import Face, Operation, operations
from .read_request import read_body, read_query

if TYPE_CHECKING:
    from ...control.services import Services
    from ...database.values import UserRow

PREFIX = {1: "/api/v1", 2: "/api/v2"}
#: Path parameters that may hold a slash, and those that are numbers.
PATHS = frozenset({"variable_key", "uri"})
NUMBERS = frozenset(
    {
        "asset_alias_id",
        "asset_id",
        "backfill_id",
        "event_log_id",
        "import_error_id",
        "map_index",
        "task_try_number",
        "try_number",
        "version_number",
    }
)
PART_LENGTH_MAX = 2000
NUMBER_MAX = 2**63 - 1
#: Answers of these hold a token that is shown once.
SECRET_TAGS = frozenset({"AccessToken", "Webhook"})

log = logging.getLogger(__name__)


def add_routes(app: Flask) -> None:
    """Give every operation its addresses."""
    for version, prefix in PREFIX.items():
        for one, face in operations(version):
            app.add_url_rule(
                prefix + _rule(face.path),
                endpoint=f"api_v{version}.{face.id}",
                view_func=_view(one, face, version),
                methods=[one.method],
            )


def _rule(path: str) -> str:
    def one(found: re.Match[str]) -> str:
        name = found[1]
        kind = "path:" if name in PATHS else "int(signed=True):" if name in NUMBERS else ""
        return f"<{kind}{name}>"

    return re.sub(r"\{(\w+)\}", one, path)


def _view(one: Operation, face: Face, version: int) -> Callable[..., ResponseReturnValue]:
    def view(**path: Any) -> ResponseReturnValue:
        try:
            return _answer(one, face, version, path)
        except TradewindError as error:
            return error_response(version, error)
        except HTTPException as error:
            return http_error(version, error)
        except Exception:
            number = secrets.token_hex(4)
            log.exception("request %s failed: %s %s", number, request.method, request.path)
            return error_response(version, ApiError(500, f"Internal error {number}"))

    view.permission = one.permission  # type: ignore[attr-defined]  # read by a test of all routes
    return view


def _answer(one: Operation, face: Face, version: int, path: dict[str, Any]) -> Response:
    ground = services()
    if one.permission is None:
        return _work(one, face, version, path, ground, None)
    user = find_user(request, ground, version)
    _check_access(one, face, version, path)
    name = "anonymous" if user is None else user.username
    ground = replace(ground, actor=f"user:{name}")
    if face.tag in SECRET_TAGS:  # their answers must not lie about
        return _work(one, face, version, path, ground, user)
    return once(
        f"user:{name}",
        lambda: _work(one, face, version, path, ground, user),
        lambda error: error_response(version, error),
    )


def _work(
    one: Operation,
    face: Face,
    version: int,
    path: dict[str, Any],
    ground: Services,
    user: UserRow | None,
) -> Response:
    _refuse_strange_path(path)
    call = Call(
        version=version,
        services=ground,
        user=user,
        path=path,
        query=read_query(request, face, version),
        body=read_body(request, face, version),
        accept=request.headers.get("Accept", ""),
    )
    found = one.handler(call)
    if isinstance(found, Response):
        return found
    if face.status == 204 or found is None:
        return Response(status=face.status)
    return Response(encode(found, version), face.status, content_type="application/json")


def _check_access(one: Operation, face: Face, version: int, path: dict[str, Any]) -> None:
    """Refuse who may not do this; those who did not say who they are may read at most."""
    dag_id = path.get("dag_id")
    needs = needs_of_operation(face.id, face.tag, one.method, str(one.permission))
    lacks = missing(g.access, needs, None if dag_id == WILDCARD else dag_id)
    is_reading = one.permission == "read" and face.tag not in SECRET_TAGS
    if is_anybody() and (lacks is not None or not is_reading):
        raise not_authenticated(version)
    if lacks is not None:
        action, resource = lacks
        raise AccessDenied(f"The permission {action} on {resource} is missing.")


def _refuse_strange_path(path: dict[str, Any]) -> None:
    raw = str(request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or "")
    if "%2f" in raw.partition("?")[0].lower() and not PATHS & set(path):
        raise ApiError(404, "There is nothing at this address.")
    for value in path.values():
        if isinstance(value, str) and (len(value) > PART_LENGTH_MAX or not value.isprintable()):
            raise ApiError(400, "The address holds characters that no name may have.")
        if isinstance(value, int) and abs(value) > NUMBER_MAX:
            raise ApiError(404, "There is nothing with such a number.")


def encode(answer: Any, version: int) -> bytes:
    """Return the JSON of an answer, with instants as the version writes them."""
    if version == 2:
        return msgspec.json.encode(answer)
    plain = msgspec.to_builtins(answer, builtin_types=(datetime,))
    return json.dumps(plain, default=datetime.isoformat, ensure_ascii=False).encode(
        errors="backslashreplace"
    )


def http_error(version: int, error: HTTPException) -> Response:
    """Answer what Flask refuses by itself: unknown addresses, methods, bodies that are too long."""
    status = error.code or 500
    if version == 2 and status == 404:
        return Response(b'{"error":"API route not found"}', 404, content_type="application/json")
    detail = error.description if version == 1 else error.name
    return error_response(version, ApiError(status, detail))
