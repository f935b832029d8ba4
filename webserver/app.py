"""The application factory: one Flask application over the verbs and reads of ``control``."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request

from ..sdk.configuration import conf
from ..sdk.errors import TradewindError
from . import (
    api,
    assets,
    auth,
    auth_backends,
    base_path,
    cors,
    dag_rows,
    durations,
    equivalents,
    error_pages,
    grid_reads,
    health,
    limits,
    login,
    markdown,
    oidc,
    preferences,
    proxies,
    states,
    undo,
    views_acts,
    views_admin,
    views_assets,
    views_backfills,
    views_browse,
    views_bulk,
    views_dag_tabs,
    views_dags,
    views_durations,
    views_files,
    views_gantt,
    views_graph,
    views_home,
    views_hooks,
    views_metrics,
    views_packages,
    views_people,
    views_questions,
    views_redirects,
    views_runs,
    views_stream,
    views_task_instances,
    views_timeline,
    views_tokens,
    views_trigger,
)

if TYPE_CHECKING:
    from ..control.services import Services

VIEWS = (
    health,
    views_metrics,
    preferences,
    views_home,
    views_dags,
    views_dag_tabs,
    views_durations,
    views_gantt,
    views_graph,
    views_runs,
    views_task_instances,
    views_questions,
    views_assets,
    views_files,
    views_hooks,
    views_tokens,
    views_browse,
    views_acts,
    views_bulk,
    views_trigger,
    views_backfills,
    views_people,
    views_packages,
    views_redirects,
    views_admin,
    views_stream,
    views_timeline,
)
#: Answers shorter than this are not worth the work.
COMPRESSED_BYTES_MIN = 1024
COMPRESSED_TYPES = frozenset({"text/html", "application/json"})
#: Nothing but our own origin, no inline script, no inline style.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)
BODY_MB_MAX = 64.0
#: Keys that stand in examples all over the web: a session signed with one can be forged.
KEY_LENGTH_MIN = 16
WEAK_KEYS = frozenset({"temporary_key", "changeme", "secret", "secret_key", "airflow"})


def create_app(services: Services) -> Flask:
    """Build the application.

    Raises:
        TradewindError: the configured secret key is one that everybody knows.
    """
    app = Flask(__name__)
    app.secret_key = secret_key()
    app.config.update(
        MAX_CONTENT_LENGTH=body_bytes_max(),
        TEMPLATES_AUTO_RELOAD=False,
    )
    app.extensions["services"] = services
    auth_backends.init_app(app)
    login.init_app(app)
    auth.init_app(app)
    proxies.init_app(app)
    limits.init_app(app)
    cors.init_app(app)
    oidc.init_app(app)
    views_hooks.init_app(app)
    for module in VIEWS:
        app.register_blueprint(module.blueprint)
    assets.init_app(app)
    health.init_app(app)
    preferences.init_app(app)
    views_stream.init_app(app)
    api.init_app(app)
    base_path.init_app(app)
    grid_reads.init_app(app)
    site_name = conf.get("api", "instance_name") or "Tradewind"
    app.context_processor(
        lambda: {
            "site_name": site_name,
            "look_of": states.look_of,
            "duration_text": durations.duration_text,
            "now": services.now,
            "equivalent": equivalents.here,
            "markdown": markdown.markdown,
            "read_undo": undo.read_undo,
            "bulk_acts": views_bulk.bulk_acts,
            "pause_switch": dag_rows.switch,
            "ago_text": durations.ago_text,
        }
    )
    app.after_request(compress)
    app.after_request(add_security_headers)
    error_pages.init_app(app)
    return app


def body_bytes_max() -> int:
    """Return how long a request's body may be: ``[webserver] allowed_payload_size`` in MB."""
    return int(min(conf.getfloat("webserver", "allowed_payload_size"), BODY_MB_MAX) * 2**20)


def secret_key() -> str:
    """Return the key that signs sessions: the configured one, or the one made for this home.

    Raises:
        TradewindError: it is one that everybody knows.
    """
    key = str(conf.get("api", "secret_key"))
    if len(key) < KEY_LENGTH_MIN:
        raise TradewindError(
            f"[api] secret_key has fewer than {KEY_LENGTH_MIN} characters and can be guessed; set "
            "a longer one, or leave it out and one is made"
        )
    if key.lower() in WEAK_KEYS:
        raise TradewindError(
            "[api] secret_key is a well-known example; set one of your own, "
            "or leave it out and one is made"
        )
    return key


def add_security_headers(response: Any) -> Any:
    """Put the same guards on every answer."""
    response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["X-Robots-Tag"] = "noindex"
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def compress(response: Response) -> Response:
    """Send pages and data as gzip to those who take it; never streams and files."""
    if (
        response.direct_passthrough
        or response.is_streamed
        or response.mimetype not in COMPRESSED_TYPES
        or "gzip" not in request.headers.get("Accept-Encoding", "")
        or len(response.get_data()) < COMPRESSED_BYTES_MIN
    ):
        return response
    response.set_data(gzip.compress(response.get_data(), 5, mtime=0))
    response.headers["Content-Encoding"] = "gzip"
    response.vary.add("Accept-Encoding")
    return response
