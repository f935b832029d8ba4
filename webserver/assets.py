"""Addresses of style sheets and modules, named for their content: kept by browsers for a year."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, request, url_for

FOLDER = Path(__file__).with_name("static")


def init_app(app: Flask) -> None:
    """Hand ``asset`` to all templates, and let browsers keep what is named for its content."""
    app.context_processor(lambda: {"asset": asset})
    app.after_request(_keep)


def asset(name: str) -> str:
    """Return the address of a file in ``static``."""
    return url_for("static", filename=name, v=_content_hash())


@lru_cache(maxsize=1)
def _content_hash() -> str:
    """Return one hash over all of them: modules name each other without a version."""
    digest = hashlib.sha256()
    for path in sorted(FOLDER.rglob("*")):
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _keep(response: Response) -> Response:
    if request.endpoint == "static":
        is_named = request.args.get("v") == _content_hash()
        age = "public, max-age=31536000, immutable" if is_named else "no-cache"
        response.headers["Cache-Control"] = age
    return response
