"""``POST /hooks/NAME``: systems outside start a run, or say that an asset was updated.

Guarded by the webhook's own token, in the header ``Authorization: Bearer`` or
``X-Webhook-Token``; never in the address, which lands in logs. No cookie is looked at.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import msgspec
from flask import Blueprint, Flask, Response, current_app, request

from ..control.webhooks import call_webhook, find_webhook
from ..database.caller import Caller, caller
from ..sdk.configuration import conf
from ..sdk.errors import TradewindError
from .api.errors import ApiError, error_response
from .auth import client_address
from .idempotency import once
from .services import services
from .throttle import RequestRate, parse_rate

if TYPE_CHECKING:
    from ..database.webhooks import WebhookRow

blueprint = Blueprint("hooks", __name__)


def init_app(app: Flask) -> None:
    """Read the limit from the settings."""
    rate = parse_rate(conf.get("api", "webhook_rate_limit"))
    app.extensions["webhook_rate"] = RequestRate(rate)


@blueprint.post("/hooks/<name>")
def call(name: str) -> Response:
    """Do what the webhook is for."""
    try:
        return _answer(name)
    except TradewindError as error:
        return error_response(2, error)


def _answer(name: str) -> Response:
    limit: RequestRate = current_app.extensions["webhook_rate"]
    wait_s = limit.wait_s(f"{name[:100]} {client_address()}", services().clock.monotonic())
    if wait_s:
        text = "This webhook is called too often"
        raise ApiError(429, text, {"Retry-After": str(max(1, round(wait_s)))})
    caller.set(Caller(address=client_address()))
    hook = find_webhook(services(), name, _token())
    if hook is None:  # one and the same answer for a wrong name and a wrong token
        text = "There is no webhook of this name with this token"
        raise ApiError(401, text, {"WWW-Authenticate": "Bearer"})
    given = _body()
    return once(f"webhook:{hook.id}", lambda: _call(hook, given), _error)


def _call(hook: WebhookRow, given: dict[str, object]) -> Response:
    called = call_webhook(services(), hook, given)
    shown = {name: value for name, value in asdict(called).items() if value is not None}
    return Response(msgspec.json.encode(shown), 201, content_type="application/json")


def _error(error: ApiError) -> Response:
    return error_response(2, error)


def _token() -> str:
    kind, _, rest = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return rest.strip()
    return request.headers.get("X-Webhook-Token", "").strip()


def _body() -> dict[str, object]:
    data = request.get_data()
    if not data.strip():
        return {}
    try:
        return msgspec.json.decode(data, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise ApiError(400, "The body is not a JSON object") from None


call.is_token_guarded = True  # type: ignore[attr-defined]  # instead of a cookie with its CSRF token
