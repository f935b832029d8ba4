"""Provider packages and plugins, installed beside Tradewind. None of their code runs here."""

from __future__ import annotations

from importlib.metadata import distributions

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from ..sdk.plugins import plugin_entry_points, plugin_files, plugins_folder
from ..sdk.providers_manager import GROUP
from .auth import requires

blueprint = Blueprint("packages", __name__)


@blueprint.get("/providers")
@requires("operate")
def providers() -> ResponseReturnValue:
    """List provider packages, by what they say of themselves."""
    found = sorted(
        (one.name, one.version, one.metadata["Summary"] or "")
        for one in distributions()
        if one.entry_points.select(group=GROUP)
    )
    return render_template("providers.html", providers=found)


@blueprint.get("/plugins")
@requires("operate")
def plugins() -> ResponseReturnValue:
    """List plugins by file and entry point; what they bring is known where they are loaded."""
    folder = plugins_folder()
    found = [(path.stem, "file", str(path.relative_to(folder))) for path in plugin_files(folder)]
    found += [(one.name, "package", one.value) for one in plugin_entry_points()]
    return render_template("plugins.html", plugins=found, folder=folder)
