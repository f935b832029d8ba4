"""Addresses of style sheets and modules, with a hash of all of them: kept by browsers for a year.

The hash stands in the path and not behind it, so that modules which name each other by relative
addresses are loaded once.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, request, send_from_directory, url_for

FOLDER = Path(__file__).with_name("static")


def init_app(app: Flask) -> None:
    """Hand ``asset`` to all templates, and let browsers keep what is named for its content."""
    app.add_url_rule("/assets/<version>/<path:name>", "assets", _send)
    app.context_processor(lambda: {"asset": asset})
    app.after_request(_keep)


def asset(name: str) -> str:
    """Return the address of a file in ``static``."""
    return url_for("assets", version=_content_hash(), name=name)


@lru_cache(maxsize=1)
def _content_hash() -> str:
    digest = hashlib.sha256()
    for path in sorted(FOLDER.rglob("*")):
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _send(version: str, name: str) -> Response:
    """Send a file; an address of another release gets the file as it is now, unkept."""
    return send_from_directory(FOLDER, name)


def _keep(response: Response) -> Response:
    if request.endpoint == "assets" and response.status_code == 200:
        is_ours = (request.view_args or {}).get("version") == _content_hash()
        age = "public, max-age=31536000, immutable" if is_ours else "no-cache"
        response.headers["Cache-Control"] = age
    return response
