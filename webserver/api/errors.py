"""What goes wrong, in the form of each version: problem+json, or ``{"detail": …}``."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec
from flask import Response

from ...control.access import AccessDenied
from ...database.caller import ForeignDag
from ...database.errors import AlreadyExists, DatabaseAway, NotAllowed, NotFound
from ...sdk.errors import TradewindError


class ApiError(TradewindError):
    """An answer that is an error. ``detail`` is text, or what version 2 says in its place."""

    def __init__(
        self, status: int, detail: Any, headers: dict[str, str] | None = None, title: str = ""
    ) -> None:
        super().__init__(str(detail))
        self.status = status
        self.detail = detail
        self.headers = headers or {}
        self.title = title


class InvalidField(ApiError):
    """A part of the request is not as described; names where.

    ``kind`` is version 2's word for it ("extra_forbidden"); ``place`` ("body", "slots").
    """

    def __init__(self, kind: str, place: tuple[str | int, ...], text: str, given: Any = None):
        super().__init__(400, text)
        self.kind = kind
        self.place = place
        self.given = given


def status_of(error: TradewindError) -> int:
    """Return the HTTP status of an expected error."""
    if isinstance(error, ApiError):
        return error.status
    if isinstance(error, NotFound):
        return 404
    if isinstance(error, (AccessDenied, ForeignDag)):
        return 403
    if isinstance(error, (AlreadyExists, NotAllowed)):
        return 409
    if isinstance(error, DatabaseAway):
        return 503
    return 400


def error_response(version: int, error: TradewindError) -> Response:
    """Answer an expected error in the form of a version."""
    status = status_of(error)
    detail: Any = error.detail if isinstance(error, ApiError) else str(error)
    headers = dict(error.headers) if isinstance(error, ApiError) else {}
    if version == 1:
        title = getattr(error, "title", "") or HTTPStatus(status).phrase
        text = detail if detail is None or isinstance(detail, str) else str(error)
        payload: Any = {"type": "about:blank", "title": title, "status": status, "detail": text}
        return _json(payload, status, headers, "application/problem+json")
    if isinstance(error, InvalidField):
        status = 422
        entry = {"type": error.kind, "loc": error.place, "msg": str(error), "input": error.given}
        detail = [entry]
    elif isinstance(error, AlreadyExists):
        detail = {
            "reason": "Unique constraint violation",
            "statement": "hidden",
            "orig_error": "hidden",
            "message": str(error),
        }
    return _json({"detail": detail}, status, headers, "application/json")


def _json(payload: Any, status: int, headers: dict[str, str], kind: str) -> Response:
    try:
        body = msgspec.json.encode(payload)
    except (TypeError, ValueError, UnicodeError):  # an input that no JSON can hold
        body = msgspec.json.encode({"detail": "The request cannot be read."})
    return Response(body, status, headers, content_type=kind)
