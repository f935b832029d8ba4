"""Who asks, and what they may do: in front of every page.

The session's cookie holds a random text that stands for a row of the database, so a session that
was ended is worth nothing. Every unsafe request with a session needs the CSRF token. What a route
needs stands in ``permissions``. Source: ``spec/security.md`` sections 2 and 3.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import ParamSpec
from urllib.parse import unquote, urlsplit

from flask import (
    Flask,
    Response,
    abort,
    current_app,
    flash,
    g,
    has_request_context,
    redirect,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue

from ..control.access import Access, access_of
from ..control.permissions import DELETE, EDIT, READ
from ..database.caller import Caller, caller
from ..database.values import UserRow
from ..sdk.configuration import conf
from .api.versions import version_of
from .permissions import WORDS, missing, needs_of_page
from .services import services

P = ParamSpec("P")

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
#: A session ends so long after its login, however much it is used.
SESSION_AGE_MAX = timedelta(days=90)
#: Stands for whoever has not signed in, where the settings give them a role.
ANONYMOUS_ID = 0


def init_app(app: Flask) -> None:
    """Put the checks in front of every request."""
    app.before_request(load_current_user)
    app.before_request(check_csrf_token)
    app.after_request(keep_caller)
    app.teardown_request(forget_caller)
    app.context_processor(
        lambda: {"csrf_token": csrf_token, "current_user": getattr(g, "user", None), "may": may}
    )


def csrf_token() -> str:
    """Return this session's token, making one at first use."""
    if "csrf" not in session:
        session["csrf"] = secrets.token_urlsafe(24)
    return str(session["csrf"])


def session_idle() -> timedelta:
    """Return how long a session may stay unused."""
    return timedelta(minutes=conf.getint("webserver", "session_lifetime_minutes"))


def load_current_user() -> None:
    """Set ``g.user`` and ``g.access`` from the session's cookie, or to those of anybody."""
    g.user, g.access = None, Access(frozenset())
    caller.set(Caller(address=client_address(), readable=frozenset(), changeable=frozenset()))
    if request.endpoint == "static":
        return
    text = session.get("sid")
    if text:
        ground = services()
        user_id = ground.store.sessions.find_user(
            str(text), now=ground.now(), idle=session_idle(), age=SESSION_AGE_MAX
        )
        user = None if user_id is None else ground.store.users.by_id(user_id)
        if user is not None and user.is_active:
            become(user)
            return
        session.clear()
    become_anybody()


def become(user: UserRow) -> None:
    """Let the rest of this request be done in the name of *user*."""
    g.user = user
    _use(access_of(services(), user.roles))


def become_anybody() -> None:
    """Let the rest of this request be done by somebody who has not signed in: reading at most."""
    role = conf.get("fab", "auth_role_public", fallback="").strip()
    if not role:
        return
    g.user = UserRow(
        id=ANONYMOUS_ID,
        username="anonymous",
        roles=(role,),
        email="",
        first_name="",
        last_name="",
        is_active=True,
        created_at=services().now(),
    )
    _use(access_of(services(), [role]).reading_only())


def is_anybody() -> bool:
    """Tell whether whoever asks has not signed in."""
    return g.user is None or g.user.id == ANONYMOUS_ID


def _use(access: Access) -> None:
    g.access = access
    changeable = access.dag_ids(EDIT)
    deletable = access.dag_ids(DELETE)
    both = None if changeable is None or deletable is None else changeable | deletable
    caller.set(Caller(address=client_address(), readable=access.dag_ids(READ), changeable=both))


def client_address() -> str:
    """Return the address of whoever asks, as far as we can know it."""
    return str(request.remote_addr or "")


def keep_caller(response: Response) -> Response:
    """What is sent piece by piece is read in the name of whoever asked, until its end."""
    if response.is_streamed and not response.direct_passthrough:
        g.is_streamed = True
        response.call_on_close(lambda: caller.set(None))
    return response


def forget_caller(_error: BaseException | None = None) -> None:
    """A thread belongs to nobody between two requests."""
    if not getattr(g, "is_streamed", False):
        caller.set(None)


def check_csrf_token() -> ResponseReturnValue | None:
    """Refuse an unsafe request whose token is missing or wrong."""
    if request.method in SAFE_METHODS or version_of(request.path) is not None:
        return None  # the API asks for it where a session's cookie is all that it gets
    if getattr(current_app.view_functions.get(request.endpoint or ""), "is_token_guarded", False):
        return None  # asks for a token of its own, and looks at no cookie
    sent = request.form.get("csrf_token") or request.headers.get("X-CSRFToken", "")
    if not hmac.compare_digest(sent.encode(), str(session.get("csrf", "")).encode()) or not sent:
        if g.user is None and request.endpoint not in (None, "auth.login"):
            return _ask_to_log_in_again()
        abort(400, "The CSRF token is missing or old. Go back, reload the page, and try again.")
    return None


def _ask_to_log_in_again() -> ResponseReturnValue:
    """Lead somebody whose session ended in the middle of an act back to where they were."""
    came_from = urlsplit(request.referrer or "")
    back = came_from.path + (f"?{came_from.query}" if came_from.query else "")
    flash("Your session has ended, and nothing was changed. Log in, and do it again.", "error")
    return redirect(url_for("auth.login", next=safe_next(back or "/")))


def may(word: str, dag_id: str | None = None) -> bool:
    """Tell whether the user who asks may do what *word* says, on a DAG: that of the address."""
    dag_id = dag_id or (request.view_args or {}).get("dag_id")
    return missing(g.access, WORDS[word], dag_id) is None


def may_open(endpoint: str, word: str) -> bool:
    """Tell whether the user who asks may open a page that names no DAG."""
    return missing(g.access, needs_of_page(endpoint, word, has_dag=False), None) is None


def requires(
    word: str,
) -> Callable[[Callable[P, ResponseReturnValue]], Callable[P, ResponseReturnValue]]:
    """Let a view be used only by those who may; others log in, or get 403.

    ``word`` is read, edit, operate, audit or administer; ``permissions`` says what that is.
    """

    def decorate(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            dag_id = (request.view_args or {}).get("dag_id")
            needs = needs_of_page(request.endpoint or "", word, has_dag=dag_id is not None)
            lacks = missing(g.access, needs, dag_id)
            is_write = request.method not in SAFE_METHODS
            if is_anybody() and (lacks is not None or is_write):
                wanted = "/" if is_write else request.script_root + request.full_path.rstrip("?")
                return redirect(url_for("auth.login", next=wanted))
            if lacks is not None:
                action, resource = lacks
                where = f" {dag_id}" if dag_id and resource in ("DAGs", "DAG Runs") else ""
                abort(
                    403,
                    f"Your role {g.user.role or 'of none'} lacks the permission {action} on "
                    f"{resource}{where}.",
                )
            return view(*args, **kwargs)

        guarded.permission = word  # type: ignore[attr-defined]  # read by a test of all routes
        return guarded

    return decorate


def safe_next(target: str) -> str:
    """Return *target* if it is a path of ours, else the first page."""
    if target != "/" and is_path_of_ours(target):
        return target
    return f"{request.script_root if has_request_context() else ''}/"


def is_path_of_ours(target: str) -> bool:
    """Tell whether *target* leads nowhere but to a page of ours, however it is read."""
    decoded = unquote(unquote(target))
    parts = urlsplit(decoded)
    return (
        decoded.startswith("/")
        and not decoded.startswith(("//", "/\\"))
        and not parts.scheme
        and not parts.netloc
        and not any(character in decoded for character in "\\\t\r\n")
    )
