"""What a reader chooses for the pages: theme and time zone. Kept in cookies, never trusted."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from flask import Blueprint, Flask, flash, g, redirect, render_template, request
from flask.typing import ResponseReturnValue

from .auth import requires, safe_next

blueprint = Blueprint("preferences", __name__)

THEMES = ("light", "dark")
COOKIE_AGE_S = 365 * 24 * 3600


def init_app(app: Flask) -> None:
    """Hand the choices to all templates."""
    app.context_processor(lambda: {"theme": theme(), "in_zone": in_zone})


def theme() -> str:
    """Return light or dark; empty: as the system says."""
    chosen = request.cookies.get("theme", "")
    return chosen if chosen in THEMES else ""


def zone() -> tzinfo:
    """Return the time zone that instants are shown in: UTC until a reader chooses another."""
    if "zone" not in g:
        g.zone = _find_zone(request.cookies.get("zone", ""))
    return g.zone  # type: ignore[no-any-return]


def in_zone(at: datetime) -> datetime:
    """Return the same instant in the reader's zone."""
    return at.astimezone(zone())


def _find_zone(name: str) -> tzinfo:
    if not name or len(name) > 60:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


@blueprint.get("/preferences")
@requires("read")
def show() -> ResponseReturnValue:
    """Ask for theme and time zone."""
    return render_template(
        "preferences.html",
        zones=sorted(available_timezones()),
        chosen_zone=request.cookies.get("zone", "UTC"),
        section="preferences",
    )


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
    name = request.form.get("zone")
    if name is not None:
        if name in available_timezones():
            answer.set_cookie("zone", name, max_age=COOKIE_AGE_S, samesite="Lax", httponly=True)
        else:
            flash(f"There is no time zone {name!r}.", "error")
    return answer
