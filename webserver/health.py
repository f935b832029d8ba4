"""Health of the parts, as Airflow's ``/health`` answers it, and as a page.

Source: ``spec/config.md`` section 6.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Flask, current_app, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from ..database.errors import DatabaseError
from ..sdk.configuration import conf
from .auth import requires
from .durations import ago_text
from .services import services

blueprint = Blueprint("health", __name__)

#: Part → the setting with its threshold in seconds.
THRESHOLDS = {
    "scheduler": ("scheduler", "scheduler_health_check_threshold"),
    "triggerer": ("triggerer", "triggerer_health_check_threshold"),
    "dag_processor": ("dag_processor", "health_check_threshold"),
}
THRESHOLD_DEFAULT_S = 30
#: What stands still without each part, for the banner above every page.
STANDS_STILL = {
    "scheduler": "The scheduler {what}: no run starts, and no task is handed out.",
    "dag_processor": "The parser {what}: changes of DAG files are not seen.",
}
#: How long a process believes what it has read for the banner.
BANNER_AGE_MAX = timedelta(seconds=5)


def init_app(app: Flask) -> None:
    """Hand the banner to all templates."""
    app.extensions["outages"] = None
    app.context_processor(lambda: {"outages": outages})


def outages() -> list[str]:
    """Return a sentence for each part that is away, so that nobody waits in vain."""
    now, kept = services().clock.now(), current_app.extensions["outages"]
    if kept is None or not timedelta() <= now - kept[0] < BANNER_AGE_MAX:
        parts = read_health()
        kept = (
            now,
            [
                sentence.format(what=_absence(parts[name][f"latest_{name}_heartbeat"], now))
                for name, sentence in STANDS_STILL.items()
                if parts[name]["status"] != "healthy"
            ],
        )
        current_app.extensions["outages"] = kept
    return list(kept[1])


def _absence(latest: str | None, now: datetime) -> str:
    if latest is None:
        return "was never started"
    return f"gave its last sign of life {ago_text(datetime.fromisoformat(latest) - now)}"


@blueprint.get("/health")
def health() -> ResponseReturnValue:
    """Answer 200 with the health of each part; with ``?strict=1`` 503 when one is unhealthy."""
    parts = read_health()
    is_unhealthy = any(part["status"] == "unhealthy" for part in parts.values())
    is_strict = request.args.get("strict") in ("1", "true")
    return jsonify(parts), 503 if is_strict and is_unhealthy else 200


@blueprint.get("/status")
@requires("read")
def page() -> ResponseReturnValue:
    """Show the same as a table."""
    return render_template("health.html", parts=read_health(), live="idle")


def read_health() -> dict[str, dict[str, Any]]:
    """Return part → status (healthy, unhealthy, None: never started) and latest heartbeat."""
    parts: dict[str, dict[str, Any]] = {"metadatabase": {"status": "healthy"}}
    now = services().clock.now()
    try:
        beats = {process.kind: process.beat_at for process in services().store.processes.list()}
    except (SQLAlchemyError, DatabaseError):
        parts["metadatabase"]["status"] = "unhealthy"
        beats = {}
    for name, (section, key) in THRESHOLDS.items():
        latest = beats.get(name)
        threshold = timedelta(seconds=conf.getint(section, key, fallback=THRESHOLD_DEFAULT_S))
        status = None if latest is None else "healthy" if now - latest <= threshold else "unhealthy"
        parts[name] = {
            "status": status,
            f"latest_{name}_heartbeat": latest.isoformat() if latest else None,
        }
    return parts
