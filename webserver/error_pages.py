"""What a reader sees when something cannot be shown: what was looked for, and what is near it."""

from __future__ import annotations

import difflib
import logging
import uuid

from flask import Flask, g, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from ..control.access import AccessDenied
from ..database.caller import ForeignDag
from ..database.errors import DatabaseError, NotFound
from ..sdk.errors import TradewindError
from . import api
from .services import services

log = logging.getLogger(__name__)

PLAIN = {"Content-Type": "text/plain; charset=utf-8"}
NEAR_MAX = 3
#: More names than these are not compared with.
NAMES_MAX = 2000
#: A page that has lost its database asks again after this.
RELOAD_S = 10


def init_app(app: Flask) -> None:
    """Answer every error with a page, or with the API's own form of it."""
    app.register_error_handler(HTTPException, show_http_error)
    app.register_error_handler(TradewindError, show_refusal)
    app.register_error_handler(SQLAlchemyError, show_database_away)
    app.register_error_handler(DatabaseError, show_database_away)


def show_http_error(error: HTTPException) -> ResponseReturnValue:
    """Show what went wrong: a page to those who are logged in, plain words to others."""
    version = api.version_of(request.path)
    if version is not None:
        return api.http_error(version, error)
    text = error.description or error.name
    if error.code == 500:
        number = uuid.uuid4().hex[:12]
        log.error("request failed", extra={"request_id": number, "path": request.path})
        text = f"The server failed at this; its log has the reason under {number}."
    if getattr(g, "user", None) is None:
        return f"{error.code} {error.name}: {text}\n", error.code or 500, PLAIN
    page = render_template("error.html", code=error.code, heading=error.name, text=text, near=[])
    return page, error.code or 500


def is_denial(error: TradewindError) -> bool:
    """Tell whether an error says that somebody may not do what they asked for."""
    return isinstance(error, (AccessDenied, ForeignDag))


def show_refusal(error: TradewindError) -> ResponseReturnValue:
    """An expected error: one clear line, and a 4xx."""
    code = 404 if isinstance(error, NotFound) else 403 if is_denial(error) else 400
    if getattr(g, "user", None) is None:
        return f"{code} {error}\n", code, PLAIN
    heading = {404: "Not found", 403: "Not allowed"}.get(code, "That did not work")
    near = near_places() if code == 404 else []
    page = render_template("error.html", code=code, heading=heading, text=str(error), near=near)
    return page, code


def near_places() -> list[tuple[str, str]]:
    """Return (name, address) of what is named most like what the address asks for."""
    asked = request.view_args or {}
    dag_id = asked.get("dag_id")
    if dag_id is None:
        return []
    store = services().store
    if store.dags.find(dag_id) is None:
        names = [dag.dag_id for dag in store.dags.list(limit=NAMES_MAX)]
        found = difflib.get_close_matches(dag_id, names, NEAR_MAX, 0.4)
        return [(name, url_for("dags.show", dag_id=name)) for name in found]
    task_id = asked.get("task_id")
    if task_id is not None:
        names = [task.task_id for task in store.dags.serialized(dag_id).tasks][:NAMES_MAX]
        found = difflib.get_close_matches(task_id, names, NEAR_MAX, 0.4)
        return [(name, url_for("durations.of_task", dag_id=dag_id, task_id=name)) for name in found]
    runs = store.runs.list(dag_id, limit=NEAR_MAX)
    return [(run.run_id, url_for("runs.show", dag_id=dag_id, run_id=run.run_id)) for run in runs]


def show_database_away(error: Exception) -> ResponseReturnValue:
    """The database does not answer: a page of its own that comes back by itself."""
    log.error("database away", exc_info=error)
    version = api.version_of(request.path)
    headers = {"Retry-After": str(RELOAD_S)}
    if version is not None:
        from werkzeug.exceptions import ServiceUnavailable

        return api.http_error(version, ServiceUnavailable("The database does not answer."))
    return render_template("database_away.html", reload_s=RELOAD_S), 503, headers
