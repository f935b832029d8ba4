"""To the login page and out again (version 2): where Airflow's own pages send a browser."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Response, request, url_for

from ...auth import safe_next
from ...login import end_session
from ..call import Call
from ..errors import ApiError
from ..operation import Face, Query, operation
from ..tokens import read_token


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
    """End the session of a browser, or give back the token that was sent."""
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        raise ApiError(403, "Another site cannot end a session here.")
    kind, _, text = request.headers.get("Authorization", "").partition(" ")
    claims = read_token(text.strip(), call.services.now()) if kind.lower() == "bearer" else None
    if claims is not None:
        call.store.access_tokens.give_back(
            str(claims["jti"]),
            expires_at=datetime.fromtimestamp(float(claims["exp"]), UTC),
            now=call.services.now(),
            actor=f"user:{claims['sub']}",
        )
    end_session()
    return _to(url_for("auth.login"))


def _to(address: str) -> Response:
    return Response(status=307, headers={"Location": address})
