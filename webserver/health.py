"""Health of the parts, as Airflow's ``/health`` answers it, and as a page.

Source: ``spec/config.md`` section 6.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from ..database.errors import DatabaseError
from ..sdk.configuration import conf
from .auth import requires
from .services import services

blueprint = Blueprint("health", __name__)

#: Part → the setting with its threshold in seconds.
THRESHOLDS = {
    "scheduler": ("scheduler", "scheduler_health_check_threshold"),
    "triggerer": ("triggerer", "triggerer_health_check_threshold"),
    "dag_processor": ("dag_processor", "health_check_threshold"),
}
THRESHOLD_DEFAULT_S = 30


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
