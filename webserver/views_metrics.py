"""``/metrics``: counters and gauges as Prometheus reads them, no sidecar needed.

Names are Airflow's with ``airflow_`` before them and dots as underscores. Who may read it:
whoever has signed in and may read all DAGs, or a scraper that sends ``[metrics] prometheus_token``
as its bearer token. Source: ``spec/config.md`` section 5.
"""

from __future__ import annotations

import hmac

from flask import Blueprint, Response, g, request
from flask.typing import ResponseReturnValue

from ..database.caller import Caller, caller
from ..sdk.configuration import conf
from .auth import client_address
from .services import services

blueprint = Blueprint("metrics", __name__)


@blueprint.get("/metrics")
def metrics() -> ResponseReturnValue:
    """Answer with all metrics as text."""
    if not _may_read():
        return Response(
            "Sign in, or send [metrics] prometheus_token as the bearer token.\n",
            401,
            {"WWW-Authenticate": 'Bearer realm="metrics"'},
            mimetype="text/plain",
        )
    from .metrics_text import CONTENT_TYPE, metrics_text  # the library, only where it is scraped

    return Response(metrics_text(services().store), content_type=CONTENT_TYPE)


def _may_read() -> bool:
    expected = str(conf.get("metrics", "prometheus_token", fallback=""))
    given = request.headers.get("Authorization", "")
    if expected and hmac.compare_digest(given.encode(), f"Bearer {expected}".encode()):
        caller.set(Caller(address=client_address(), changeable=frozenset()))  # reads all DAGs
        return True
    access = getattr(g, "access", None)
    return access is not None and access.dag_ids("can_read") is None
