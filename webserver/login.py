"""The login form, and how sessions begin and end."""

from __future__ import annotations

from typing import cast

from flask import (
    Blueprint,
    Flask,
    current_app,
    flash,
    g,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.sessions import SecureCookieSessionInterface
from flask.typing import ResponseReturnValue

from ..database.values import UserRow
from ..sdk.configuration import conf
from .auth import SESSION_AGE_MAX, client_address, csrf_token, safe_next, session_idle
from .services import services
from .throttle import LoginThrottle

blueprint = Blueprint("auth", __name__)


class SessionCookie(SecureCookieSessionInterface):
    """The session's cookie: Secure where the request was, and for no path but ours."""

    def get_cookie_secure(self, app: Flask) -> bool:
        """Tell whether the cookie may go over https only."""
        return bool(app.config["SESSION_COOKIE_SECURE"]) or request.is_secure

    def get_cookie_path(self, app: Flask) -> str:
        """Return the path below which the cookie is sent."""
        return request.script_root or "/"


def init_app(app: Flask) -> None:
    """Add the pages, and settings of the cookie."""
    samesite = conf.get("webserver", "cookie_samesite")
    app.session_interface = SessionCookie()
    app.config.update(
        # When a session ends is the database's to say (``find_user``). The cookie is sent when it
        # changes only: the answer to what another tab asked for meanwhile would put back an older
        # one, and take an act's message away.
        PERMANENT_SESSION_LIFETIME=SESSION_AGE_MAX,
        SESSION_REFRESH_EACH_REQUEST=False,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE=samesite if samesite in ("Lax", "Strict") else "Lax",
        SESSION_COOKIE_SECURE=conf.getboolean("webserver", "cookie_secure"),
    )
    app.extensions["login_throttle"] = LoginThrottle.from_configuration()
    app.register_blueprint(blueprint)


def throttle() -> LoginThrottle:
    """Return what counts wrong passwords."""
    return cast(LoginThrottle, current_app.extensions["login_throttle"])


def begin_session(user: UserRow) -> None:
    """Begin a new session for *user*: an id that was planted before is worth nothing."""
    end_session()
    ground = services()
    session["sid"] = ground.store.sessions.begin(
        user.id,
        address=client_address()[:100],
        now=ground.now(),
        actor=f"user:{user.username}",
        expired_before=ground.now() - session_idle(),
    )
    session.permanent = True
    csrf_token()


def end_session() -> None:
    """End the session of this browser, here and in the database."""
    text = session.get("sid")
    if text:
        user = getattr(g, "user", None)
        name = "unknown" if user is None else user.username
        ground = services()
        ground.store.sessions.end(str(text), now=ground.now(), actor=f"user:{name}")
    session.clear()


@blueprint.route("/login", methods=["GET", "POST"])
def login() -> ResponseReturnValue:
    """Show the form; check name and password; begin a new session."""
    target = safe_next(request.values.get("next", "/"))
    if request.method == "GET":
        return render_template("login.html", next=target, error=None)
    name = request.form.get("username", "")
    keys = (f"user:{name}", f"address:{client_address()}")
    ground = services()
    now_s = ground.clock.monotonic()
    if not throttle().is_open(keys, now_s):
        page = render_template("login.html", next=target, error="Too many attempts; wait a minute.")
        return page, 429, {"Retry-After": str(throttle().window_s)}
    user = ground.store.users.verify(name, request.form.get("password", ""), now=ground.now())
    if user is None:
        throttle().record_failure(keys, now_s)
        page = render_template("login.html", next=target, error="Wrong user name or password.")
        return page, 401
    begin_session(user)
    return redirect(target)


@blueprint.post("/logout")
def logout() -> ResponseReturnValue:
    """End the session."""
    end_session()
    flash("You are logged out.")
    return redirect(url_for("auth.login"))
