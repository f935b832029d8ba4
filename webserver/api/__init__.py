"""The REST API: Airflow 2's version 1 and Airflow 3's version 2 over the same verbs and reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .versions import version_of

if TYPE_CHECKING:
    from flask import Flask, Response
    from werkzeug.exceptions import HTTPException

__all__ = ["http_error", "init_app", "version_of"]


def http_error(version: int, error: HTTPException) -> Response:
    """Answer what Flask refuses by itself in the form of a version."""
    from .routes import http_error as answer

    return answer(version, error)


def init_app(app: Flask) -> None:
    """Give an application all addresses of the API."""
    from .document_page import add_document_pages
    from .openapi import add_document_routes
    from .resources import (  # noqa: F401 - importing declares the operations
        access_tokens,
        asset_queue,
        assets,
        backfills,
        bulk,
        connections,
        dag_runs,
        dag_runs_together,
        dag_warnings,
        dags,
        favorites,
        human_input,
        jobs,
        links,
        logins,
        logs,
        packages,
        pools,
        roles,
        system,
        task_instance_acts,
        task_instances,
        users,
        variables,
        webhooks,
        xcoms,
    )
    from .routes import add_routes
    from .token_routes import add_token_routes

    add_routes(app)
    add_token_routes(app)
    add_document_routes(app)
    add_document_pages(app)
