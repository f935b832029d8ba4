"""What keeps a crowd from taking all: requests at once, and requests of one user in a time.

Threads are many because open pages hold one each, but only a few work at once: the others stand
in line without costing anything, so tasks on the same machine go on (docs/performance.md, "Under
load"). Whoever stood too long gets 503, whoever asks too often 429, both with ``Retry-After``.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, current_app, g, request
from flask.typing import ResponseReturnValue

from ..sdk.configuration import conf
from .api.errors import ApiError, error_response
from .api.versions import version_of
from .auth import client_address, is_anybody
from .services import services
from .throttle import RequestRate, parse_rate

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
RETRY_S = "2"
BUSY = b"503 The server is busy; try again in a moment.\n"


class Line:
    """A WSGI application of which only some requests are worked on at once."""

    def __init__(self, application: Wsgi, at_once: int, wait_s: float) -> None:
        self._application = application
        self._places = threading.BoundedSemaphore(at_once)
        self._wait_s = wait_s

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Work on a request in its turn. What is streamed afterwards holds no place."""
        if str(environ.get("PATH_INFO", "")).endswith("/health"):
            return self._application(environ, start_response)  # whoever watches us must not wait
        if not self._places.acquire(timeout=self._wait_s):
            headers = [
                ("Content-Type", "text/plain; charset=utf-8"),
                ("Content-Length", str(len(BUSY))),
                ("Retry-After", RETRY_S),
            ]
            start_response("503 Service Unavailable", headers)
            return [BUSY]
        try:
            return self._application(environ, start_response)
        finally:
            self._places.release()


def init_app(app: Flask) -> None:
    """Read the limits from the settings.

    Raises:
        TradewindError: one of them cannot be read.
    """
    at_once = conf.getint("api", "requests_at_once")
    if at_once > 0:
        wait_s = conf.getfloat("api", "line_wait_s")
        app.wsgi_app = Line(app.wsgi_app, at_once, wait_s)  # type: ignore[method-assign]
    text = conf.get("api", "request_rate_limit").strip()
    app.extensions["request_rate"] = RequestRate(parse_rate(text) if text else None)
    app.before_request(check_rate)


def check_rate() -> ResponseReturnValue | None:
    """Refuse who asks too often; static files and health do not count."""
    if request.endpoint in ("static", "assets", "health.health"):
        return None
    rate: RequestRate = current_app.extensions["request_rate"]
    wait_s = rate.wait_s(_key(), services().clock.monotonic())
    if not wait_s:
        return None
    headers = {"Retry-After": str(max(1, round(wait_s)))}
    version = version_of(request.path)
    if version is not None:
        return error_response(version, ApiError(429, "Too many requests", headers))
    return "429 Too many requests; try again in a moment.\n", 429, headers


def _key() -> str:
    """Return whose requests are counted together."""
    if not is_anybody():
        return f"user:{g.user.username}"
    given = request.headers.get("Authorization", "")
    mark = hashlib.sha256(given.encode()).hexdigest()[:16] if given else ""
    return f"address:{client_address()}:{mark}"
