"""``info``: what one wants to know of an install when something is wrong with it."""

from __future__ import annotations

import locale
import os
import platform
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import click

from .command import command, output_option
from .output import print_rows

TOOLS = ("git", "ssh", "sqlite3", "psql", "dot")
#: Distributions whose versions matter, besides providers.
LIBRARIES = ("SQLAlchemy", "alembic", "flask", "click", "croniter", "pendulum", "msgspec")


@command("info")
@click.option("--anonymize", is_flag=True, help="Replace the user's name and the home folder.")
@click.option("--file-io", is_flag=True, help="Refused: nothing is uploaded.")
@output_option
def info(anonymize: bool, file_io: bool, output: str) -> None:
    """Show versions, paths and settings of this install."""
    if file_io:
        raise click.ClickException("Tradewind uploads nothing; send the output of 'info' yourself.")
    sections = {
        "Tradewind": _tradewind(),
        "System info": _system(),
        "Tools info": {tool: shutil.which(tool) or "NOT AVAILABLE" for tool in TOOLS},
        "Paths info": _paths(),
        "Libraries info": _versions(LIBRARIES),
        "Providers info": _versions(_provider_names()),
    }
    rows = [
        {"section": section, "name": name, "value": _anonymous(value) if anonymize else value}
        for section, values in sections.items()
        for name, value in values.items()
    ]
    if output != "table":
        print_rows(rows, output)
        return
    for section in sections:
        click.echo(section)
        print_rows([_pair(row) for row in rows if row["section"] == section], output)


def _pair(row: dict[str, Any]) -> dict[str, Any]:
    return {"name": row["name"], "value": row["value"]}


def _tradewind() -> dict[str, str]:
    from .. import AIRFLOW_VERSION, __version__
    from ..sdk.configuration import conf, dags_folder

    database = re.sub(r"//[^@/]*@", "//***@", conf.get("database", "sql_alchemy_conn"))
    return {
        "version": __version__,
        "stands in for Airflow": AIRFLOW_VERSION,
        "executor": conf.get("core", "executor"),
        "sql_alchemy_conn": database,
        "dags_folder": str(dags_folder()),
        "plugins_folder": conf.get("core", "plugins_folder"),
        "base_log_folder": conf.get("logging", "base_log_folder"),
    }


def _system() -> dict[str, str]:
    return {
        "OS": platform.system(),
        "architecture": platform.machine(),
        "locale": ".".join(part or "" for part in locale.getlocale()),
        "python_version": sys.version.replace("\n", " "),
        "python_location": sys.executable,
    }


def _paths() -> dict[str, str]:
    from ..sdk.configuration import conf, home

    return {
        "home": str(home()),
        "settings": str(conf.file_path or "none"),
        "system_path": os.environ.get("PATH", ""),
        "python_path": ":".join(sys.path),
    }


def _versions(names: tuple[str, ...] | list[str]) -> dict[str, str]:
    from importlib import metadata

    versions = {}
    for name in names:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "NOT INSTALLED"
    return versions


def _provider_names() -> list[str]:
    from importlib import metadata

    names = (str(found.metadata["Name"]) for found in metadata.distributions())
    return sorted({name for name in names if name.startswith("apache-airflow-providers-")})


def _anonymous(value: str) -> str:
    from .audit import user_name

    hidden = value.replace(str(Path.home()), "~")
    name = user_name()
    return hidden.replace(name, "${USER}") if len(name) > 2 else hidden
