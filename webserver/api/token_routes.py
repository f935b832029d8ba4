"""``POST /auth/token``: name and password for a token of version 2."""

from __future__ import annotations

import msgspec
from flask import Flask, Response, request

from ...sdk.errors import TradewindError
from ..services import services
from .authenticate import check_password
from .bodies import Credentials
from .errors import ApiError, error_response
from .tokens import make_token


def add_token_routes(app: Flask) -> None:
    """Give tokens their addresses."""
    app.add_url_rule("/auth/token", "api_token", lambda: _answer(is_cli=False), methods=["POST"])
    app.add_url_rule(
        "/auth/token/cli", "api_token_cli", lambda: _answer(is_cli=True), methods=["POST"]
    )


def _answer(*, is_cli: bool) -> Response:
    try:
        given = _credentials()
        if not given.username or not given.password:
            raise ApiError(400, "Username and password must be provided")
        ground = services()
        user = check_password(given.username, given.password, request, ground)
        if user is None:
            raise ApiError(401, "Invalid credentials")
        token = make_token(user, ground.now(), is_cli=is_cli)
    except TradewindError as error:
        return error_response(2, error)
    body = msgspec.json.encode({"access_token": token})
    return Response(body, 201, content_type="application/json")


def _credentials() -> Credentials:
    if request.form:
        return Credentials(request.form.get("username"), request.form.get("password"))
    try:
        return msgspec.json.decode(request.get_data() or b"{}", type=Credentials)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise ApiError(400, "The body is not a JSON object with username and password") from None
