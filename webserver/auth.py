"""Log in, log out, and who may do what.

The session is a signed cookie that holds the user's name and a fingerprint of the password: a
changed password or a deactivated user ends it at the next request. Every unsafe request
with a session needs the CSRF token. Source: ``spec/security.md`` sections 2 and 3.
"""

from __future__ import annotations

import hmac
import secrets
from collections import deque
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec
from urllib.parse import unquote, urlsplit

from flask import (
    Blueprint,
    Flask,
    abort,
    current_app,
    flash,
    g,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue

from .api.versions import version_of
from .services import services

P = ParamSpec("P")

blueprint = Blueprint("auth", __name__)

#: Weakest first: each may do what those before it may.
ROLES = ("Public", "Viewer", "User", "Op", "Admin")
#: What a view asks for, and the weakest role that has it.
PERMISSIONS = {
    "read": "Viewer",
    "edit": "User",
    "operate": "Op",  # pools, variables, connections, settings
    "audit": "Admin",  # who did what
    "administer": "Admin",  # users
}
ATTEMPTS_MAX = 5
ATTEMPTS_WINDOW_S = 40.0
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class LoginThrottle:
    """At most five failed attempts in 40 seconds per user and per address."""

    def __init__(self) -> None:
        self._failures: dict[str, deque[float]] = {}

    def is_open(self, keys: tuple[str, ...], now_s: float) -> bool:
        """Tell whether another attempt is allowed for all *keys*."""
        return all(len(self._recent(key, now_s)) < ATTEMPTS_MAX for key in keys)

    def record_failure(self, keys: tuple[str, ...], now_s: float) -> None:
        """Remember one failed attempt."""
        if len(self._failures) > 10_000:  # bounded, also against a flood of made-up names
            self._failures.clear()
        for key in keys:
            self._failures.setdefault(key, deque(maxlen=ATTEMPTS_MAX)).append(now_s)

    def _recent(self, key: str, now_s: float) -> deque[float]:
        failures = self._failures.get(key, deque())
        while failures and failures[0] < now_s - ATTEMPTS_WINDOW_S:
            failures.popleft()
        return failures


def init_app(app: Flask) -> None:
    """Put the checks in front of every request."""
    app.extensions["login_throttle"] = LoginThrottle()
    app.register_blueprint(blueprint)
    app.before_request(load_current_user)
    app.before_request(check_csrf_token)
    app.context_processor(
        lambda: {"csrf_token": csrf_token, "current_user": getattr(g, "user", None), "may": may}
    )


def csrf_token() -> str:
    """Return this session's token, making one at first use."""
    if "csrf" not in session:
        session["csrf"] = secrets.token_urlsafe(24)
    return str(session["csrf"])


def load_current_user() -> None:
    """Set ``g.user`` from the session cookie, or leave it None."""
    g.user = None
    name = session.get("username")
    if not name or request.endpoint == "static":
        return
    user = services().store.users.get(name)
    known = str(session.get("fingerprint", ""))
    if (
        user is not None
        and user.is_active
        and hmac.compare_digest(known, user.password_fingerprint)
    ):
        g.user = user
    else:
        session.clear()


def check_csrf_token() -> None:
    """Refuse an unsafe request whose token is missing or wrong."""
    if request.method in SAFE_METHODS or version_of(request.path) is not None:
        return  # the API asks for it where a session's cookie is all that it gets
    sent = request.form.get("csrf_token") or request.headers.get("X-CSRFToken", "")
    if not hmac.compare_digest(sent.encode(), str(session.get("csrf", "")).encode()) or not sent:
        abort(400, "The CSRF token is missing or old. Go back, reload the page, and try again.")


def may(permission: str) -> bool:
    """Tell whether the user who asks has *permission*; nobody has any without a login."""
    user = getattr(g, "user", None)
    role = user.role if user is not None and user.role in ROLES else "Public"
    return ROLES.index(role) >= ROLES.index(PERMISSIONS[permission])


def requires(
    permission: str,
) -> Callable[[Callable[P, ResponseReturnValue]], Callable[P, ResponseReturnValue]]:
    """Let a view be used only by users whose role has *permission*; others log in, or get 403."""

    def decorate(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            if g.user is None:
                wanted = request.full_path.rstrip("?") if request.method == "GET" else "/"
                return redirect(url_for("auth.login", next=wanted))
            if not may(permission):
                abort(403, f"Your role {g.user.role} lacks the permission to {permission} here.")
            return view(*args, **kwargs)

        guarded.permission = permission  # type: ignore[attr-defined]  # read by a test of all routes
        return guarded

    return decorate


def safe_next(target: str) -> str:
    """Return *target* if it is a path of ours, else the first page."""
    decoded = unquote(unquote(target))
    parts = urlsplit(decoded)
    is_ours = (
        decoded.startswith("/")
        and not decoded.startswith(("//", "/\\"))
        and not parts.scheme
        and not parts.netloc
        and not any(character in decoded for character in "\\\t\r\n")
    )
    return target if is_ours else "/"


@blueprint.route("/login", methods=["GET", "POST"])
def login() -> ResponseReturnValue:
    """Show the form; check name and password; begin a new session."""
    target = safe_next(request.values.get("next", "/"))
    if request.method == "GET":
        return render_template("login.html", next=target, error=None)
    throttle: LoginThrottle = current_app.extensions["login_throttle"]
    name = request.form.get("username", "")
    keys = (f"user:{name}", f"address:{request.remote_addr}")
    now_s = services().clock.monotonic()
    if not throttle.is_open(keys, now_s):
        page = render_template("login.html", next=target, error="Too many attempts; wait a minute.")
        return page, 429, {"Retry-After": str(int(ATTEMPTS_WINDOW_S))}
    user = services().store.users.verify(name, request.form.get("password", ""))
    if user is None:
        throttle.record_failure(keys, now_s)
        page = render_template("login.html", next=target, error="Wrong user name or password.")
        return page, 401
    session.clear()  # a new session at login: an id planted before it is worth nothing
    session["username"] = user.username
    session["fingerprint"] = user.password_fingerprint
    session.permanent = True
    csrf_token()
    return redirect(target)


@blueprint.post("/logout")
def logout() -> ResponseReturnValue:
    """End the session."""
    session.clear()
    flash("You are logged out.")
    return redirect(url_for("auth.login"))
