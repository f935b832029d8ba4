"""The OpenAPI documents as pages to browse and try: Swagger UI, from the package that ships it.

Its own page starts by a script inside of the page, which our content security policy forbids, so
page and starting script are ours; everything comes from this server.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from flask import Flask, Response, abort, redirect, render_template, send_from_directory

#: What of the package is served.
FILES = frozenset({"swagger-ui-bundle.js", "swagger-ui.css"})
PAGES = {"/api/v1/ui/": (1, "/api/v1/openapi.json"), "/docs": (2, "/openapi.json")}


def add_document_pages(app: Flask) -> None:
    """Give the pages the addresses that Airflow has them at."""
    for path, (version, document) in PAGES.items():
        app.add_url_rule(path, f"api_page_v{version}", _page(version, document))
    app.add_url_rule("/redoc", "api_page_redoc", lambda: redirect("/docs"))
    app.add_url_rule("/swagger-ui/<name>", "swagger_ui", _send)


def _page(version: int, document: str) -> Any:
    def show() -> str:
        return render_template("api_page.html", version=version, document=document)

    return show


def _folder() -> Path:
    spec = find_spec("flask_swagger_ui")
    if spec is None or spec.origin is None:
        abort(404)
    return Path(spec.origin).parent / "dist"


def _send(name: str) -> Response:
    if name not in FILES:
        abort(404)
    return send_from_directory(_folder(), name, max_age=3600)
