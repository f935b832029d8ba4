"""Scripts of other sites: only origins in ``[api] access_control_allow_origins`` use the API.

Only the API answers so, and never with cookies: such scripts bring a token.
"""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, request

from ..sdk.configuration import conf
from .api.versions import version_of

METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
HEADERS = "Authorization, Content-Type, Idempotency-Key"
PREFLIGHT_S = "600"


def init_app(app: Flask) -> None:
    """Read the settings; without origins nothing is added to any answer."""
    origins = frozenset(conf.get("api", "access_control_allow_origins").replace(",", " ").split())
    if not origins:
        return
    methods = conf.get("api", "access_control_allow_methods").strip() or METHODS
    headers = conf.get("api", "access_control_allow_headers").strip() or HEADERS

    def is_allowed() -> bool:
        origin = request.headers.get("Origin", "")
        return bool(origin) and is_api() and (origin in origins or "*" in origins)

    def answer_preflight() -> Any:
        is_asked = "Access-Control-Request-Method" in request.headers
        if request.method != "OPTIONS" or not is_asked or not is_allowed():
            return None
        answer = Response(status=204)
        answer.headers["Access-Control-Allow-Methods"] = methods
        answer.headers["Access-Control-Allow-Headers"] = headers
        answer.headers["Access-Control-Max-Age"] = PREFLIGHT_S
        return answer

    def add_headers(response: Response) -> Response:
        if is_api():
            response.vary.add("Origin")
        if is_allowed():
            allowed = "*" if "*" in origins else request.headers["Origin"]
            response.headers["Access-Control-Allow-Origin"] = allowed
        return response

    app.before_request(answer_preflight)
    app.after_request(add_headers)


def is_api() -> bool:
    """Tell whether the request is for the API, or for a token of it."""
    return version_of(request.path) is not None or request.path.startswith("/auth/token")
