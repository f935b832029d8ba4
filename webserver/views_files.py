"""DAG files that could not be loaded, and files that gave no DAG."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from .auth import requires
from .services import services

blueprint = Blueprint("import_errors", __name__)


@blueprint.get("/import_errors")
@requires("read")
def index() -> ResponseReturnValue:
    """List import errors with their text, and the files without a DAG with the reason."""
    files = services().store.files
    return render_template(
        "import_errors.html",
        errors=files.import_errors(),
        files_without_dag=files.without_dags(),
        live="idle",
    )
