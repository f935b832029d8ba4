"""Who asks: basic credentials, a token, or the session of the page.

Checking a password takes 50 ms by design. One that was right lately is known by a keyed hash,
in this process only, for a minute; the user's row is read all the same, so that a
deactivation or a new password counts at once.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING

from flask import Request, current_app, g, session

from ...database.access_tokens import PREFIX as PERSONAL_PREFIX
from ..auth import SAFE_METHODS, become, is_anybody
from ..auth_backends import Backends
from ..login import throttle
from .errors import ApiError
from .tokens import read_token

if TYPE_CHECKING:
    from ...control.services import Services
    from ...database.values import UserRow

KNOWN_S = 60.0
KNOWN_MAX = 1000
_KEY = secrets.token_bytes(32)
_known: dict[bytes, tuple[str, float]] = {}


def find_user(request: Request, services: Services, version: int) -> UserRow | None:
    """Find who asks, let the request be done in their name, and return them.

    None: nobody said who they are, and the settings give nobody a role.

    Raises:
        ApiError: the credentials are wrong or of a kind that the settings do not allow, or a
            session's unsafe request has no CSRF token.
    """
    backends: Backends = current_app.extensions["auth_backends"]
    if backends.denies_all:
        raise not_authenticated(version)
    kind, _, rest = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "basic" and backends.has_basic:
        become(_basic(rest.strip(), request, services, version))
    elif kind.lower() == "bearer":
        become(_bearer(rest.strip(), services, version))
    elif kind:
        raise not_authenticated(version)
    elif not is_anybody():
        if not backends.has_session and not getattr(g, "is_from_proxy", False):
            raise not_authenticated(version)
        if request.method not in SAFE_METHODS:
            _check_csrf(request)
    user: UserRow | None = g.user
    return user


def not_authenticated(version: int) -> ApiError:
    """The answer to those who did not say who they are, or whom we do not believe."""
    scheme = 'Basic realm="tradewind"' if version == 1 else "Bearer"
    detail = None if version == 1 else "Not authenticated"
    return ApiError(401, detail, {"WWW-Authenticate": scheme})


def check_password(
    username: str, password: str, request: Request, services: Services
) -> UserRow | None:
    """Return the user whose password this is, or None.

    Raises:
        ApiError: 429, there were too many wrong attempts.
    """
    now_s = services.clock.monotonic()
    given = f"{username}\0{password}".encode(errors="backslashreplace")
    mark = hmac.digest(_KEY, given, hashlib.sha256)
    fingerprint, known_until_s = _known.get(mark, ("", 0.0))
    if fingerprint and now_s < known_until_s:
        row = services.store.users.get(username)
        if row is not None and row.is_active and row.password_fingerprint == fingerprint:
            return row
    keys = (f"user:{username}", f"address:{request.remote_addr}")
    if not throttle().is_open(keys, now_s):
        raise ApiError(
            429,
            "Too many wrong attempts; wait a minute.",
            {"Retry-After": str(throttle().window_s)},
        )
    user = services.store.users.verify(username, password, now=services.now())
    if user is None:
        throttle().record_failure(keys, now_s)
        return None
    if len(_known) >= KNOWN_MAX:
        _known.clear()
    _known[mark] = (user.password_fingerprint, now_s + KNOWN_S)
    return user


def _basic(text: str, request: Request, services: Services, version: int) -> UserRow:
    try:
        name, colon, password = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise not_authenticated(version) from None
    user = check_password(name, password, request, services) if colon else None
    if user is None:
        raise not_authenticated(version)
    return user


def _bearer(text: str, services: Services, version: int) -> UserRow:
    if text.startswith(PERSONAL_PREFIX):
        user_id = services.store.access_tokens.find_user(text, now=services.now())
        user = None if user_id is None else services.store.users.by_id(user_id)
    else:
        user = _signed(text, services)
    if user is None or not user.is_active:
        raise not_authenticated(version)
    return user


def _signed(text: str, services: Services) -> UserRow | None:
    """Return the user of a signed token: not expired, not given back, password not changed."""
    claims = read_token(text, services.now())
    user = None if claims is None else services.store.users.get(str(claims["sub"]))
    if claims is None or user is None:
        return None
    if not hmac.compare_digest(str(claims.get("fpr", "")), user.password_fingerprint):
        return None
    return None if services.store.access_tokens.is_given_back(str(claims["jti"])) else user


def _check_csrf(request: Request) -> None:
    sent = request.headers.get("X-CSRFToken", "")
    expected = str(session.get("csrf", ""))
    if sent and expected and hmac.compare_digest(sent.encode(), expected.encode()):
        return
    if request.headers.get("Sec-Fetch-Site") == "same-origin":
        return
    is_browser = any(name in request.headers for name in ("Origin", "Sec-Fetch-Site", "Cookie"))
    if getattr(g, "is_from_proxy", False) and not is_browser:
        return  # a script behind a proxy that names its user: nothing was lent to it by a browser
    raise ApiError(403, "A write with the session's cookie needs the header X-CSRFToken.")
