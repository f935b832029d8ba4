"""Everything below a path: ``[api] base_url = https://host/some/prefix`` behind a reverse proxy.

A proxy may hand on the prefix or take it away; both are understood, and all links have it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import request

from ..sdk.configuration import conf

if TYPE_CHECKING:
    from flask import Flask

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


def init_app(app: Flask) -> None:
    """Serve below the path of ``base_url``, if it has one; hand ``here`` to all templates."""
    prefix = configured_prefix()
    if prefix:
        app.wsgi_app = BelowPrefix(app.wsgi_app, prefix)  # type: ignore[method-assign]
    app.context_processor(lambda: {"here": here, "here_with_query": here_with_query})


def configured_prefix() -> str:
    """Return the path of ``base_url`` without a slash at its end; empty: there is none."""
    return urlsplit(conf.get("api", "base_url", fallback="") or "").path.rstrip("/")


def here() -> str:
    """Return the path of the page that is asked for, as a browser has to ask for it."""
    return request.script_root + request.path


def here_with_query() -> str:
    """Return the same with its query."""
    return request.script_root + request.full_path.rstrip("?")


class BelowPrefix:
    """Tells the application below which path it is seen."""

    def __init__(self, application: Wsgi, prefix: str) -> None:
        self._application = application
        self._prefix = prefix

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == self._prefix or path.startswith(self._prefix + "/"):
            environ["PATH_INFO"] = path[len(self._prefix) :] or "/"
        environ["SCRIPT_NAME"] = self._prefix
        return self._application(environ, start_response)
