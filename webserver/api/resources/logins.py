"""To the login page and out again (version 2): where Airflow's own pages send a browser."""

from __future__ import annotations

from typing import Any

from flask import Response, request, session, url_for

from ...auth import safe_next
from ..call import Call
from ..errors import ApiError
from ..operation import Face, Query, operation


@operation(
    "GET",
    None,
    v2=Face("login", "/auth/login", (Query("next"),), status=307, errors=(400,), tag="Login"),
)
def login(call: Call) -> Any:
    """Send a browser to the login page, and afterwards to a page of ours."""
    target = call.query["next"]
    if target and safe_next(target) != target:
        raise ApiError(400, "next: only a path of this server is allowed")
    return _to(url_for("auth.login", next=target) if target else url_for("auth.login"))


@operation("GET", None, v2=Face("logout", "/auth/logout", status=307, errors=(403,), tag="Login"))
def logout(call: Call) -> Any:
    """End the session of a browser."""
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        raise ApiError(403, "Another site cannot end a session here.")
    session.clear()
    return _to(url_for("auth.login"))


def _to(address: str) -> Response:
    return Response(status=307, headers={"Location": address})
