"""What a reader chooses for themselves: theme and time zone, in cookies; favourite DAGs."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from flask import Blueprint, Flask, abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ..control import favorites
from ..sdk.configuration import conf
from ..sdk.timezone import local_timezone, timezone_name
from .auth import is_anybody, requires, safe_next
from .services import acting_services

blueprint = Blueprint("preferences", __name__)

THEMES = ("light", "dark")
#: What each key does, by where. The modules in ``static/js`` do it.
KEYS = (
    ("Everywhere", (
        ("Ctrl K", "go to a DAG, a task or a page"), ("/", "filter"), ("?", "this list"),
        ("g h", "home"), ("g d", "DAGs"), ("g r", "runs"), ("g t", "timeline"), ("g a", "assets"),
        ("g g", "grid or graph"), ("Esc", "close a dialog or the side panel"),
    )),
    ("On a DAG, a run or a task instance", (
        ("t", "trigger"), ("c", "clear"), ("m", "mark"), ("n", "note"), ("l", "logs"),
        ("e", "first error of the log"), ("f", "follow the log"),
    )),
    ("Grid", (
        ("← → ↑ ↓", "move"), ("Home End", "first and last run"), ("Enter", "open"),
        ("Space", "select"), ("[ ]", "fold and unfold a group"),
    )),
    ("Graph", (("← →", "along an edge"), ("↑ ↓", "in the same rank"), ("+ - 0", "zoom, fit"))),
)  # fmt: skip
COOKIE_AGE_S = 365 * 24 * 3600


def init_app(app: Flask) -> None:
    """Hand the choices to all templates."""
    app.context_processor(
        lambda: {"theme": theme(), "in_zone": in_zone, "are_keys_on": are_keys_on()}
    )


def theme() -> str:
    """Return light or dark; empty: as the system says."""
    chosen = request.cookies.get("theme", "")
    return chosen if chosen in THEMES else ""


def are_keys_on() -> bool:
    """Tell whether single letters are keys: people who speak to their computer switch them off."""
    return request.cookies.get("keys") != "off"


def zone() -> tzinfo:
    """Return the time zone that instants are shown in, the setting's until a reader chooses."""
    if "zone" not in g:
        g.zone = _find_zone(request.cookies.get("zone", "")) or _find_zone(default_zone()) or UTC
    return g.zone  # type: ignore[no-any-return]


def default_zone() -> str:
    """Return the name of the zone for whoever chose none (``default_ui_timezone``)."""
    name = conf.get("webserver", "default_ui_timezone").strip()
    return timezone_name(local_timezone()) if name == "system" else name


def in_zone(at: datetime) -> datetime:
    """Return the same instant in the reader's zone."""
    return at.astimezone(zone())


def _find_zone(name: str) -> tzinfo | None:
    if not name or len(name) > 60:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


@blueprint.get("/preferences")
@requires("read")
def show() -> ResponseReturnValue:
    """Ask for theme and time zone."""
    return render_template(
        "preferences.html",
        zones=sorted(available_timezones()),
        chosen_zone=request.cookies.get("zone") or default_zone(),
        section="preferences",
    )


@blueprint.get("/keys")
@requires("read")
def keys() -> ResponseReturnValue:
    """List the keys."""
    return render_template("keys.html", groups=KEYS, section="preferences")


@blueprint.post("/preferences")
@requires("read")
def save() -> ResponseReturnValue:
    """Keep what was chosen in this browser."""
    answer = redirect(safe_next(request.form.get("next", "/")))
    wanted = request.form.get("theme")
    if wanted in THEMES:
        answer.set_cookie("theme", wanted, max_age=COOKIE_AGE_S, samesite="Lax", httponly=True)
    elif wanted == "system":
        answer.delete_cookie("theme")
    keys = request.form.get("keys")
    if keys in ("on", "off"):
        answer.set_cookie("keys", keys, max_age=COOKIE_AGE_S, samesite="Lax", httponly=True)
    name = request.form.get("zone")
    if name is not None:
        if name in available_timezones():
            answer.set_cookie("zone", name, max_age=COOKIE_AGE_S, samesite="Lax", httponly=True)
        else:
            flash(f"There is no time zone {name!r}.", "error")
    return answer


@blueprint.post("/dags/<dag_id>/favorite")
@requires("read")
def set_favorite(dag_id: str) -> ResponseReturnValue:
    """Mark a DAG for oneself, or take the mark away."""
    if is_anybody():
        abort(403, "Favourites belong to users: log in first.")
    if request.form.get("is_favorite") == "true":
        favorites.mark(acting_services(), g.user.id, dag_id)
    else:
        favorites.unmark(acting_services(), g.user.id, dag_id)
    return redirect(place_in_list())


def place_in_list() -> str:
    """Return where the reader was in the list of DAGs, as far as that is a page of ours."""
    came_from = urlsplit(request.referrer or "")
    query = f"?{came_from.query}" if came_from.query else ""
    return safe_next(url_for("dags.index") + query)
