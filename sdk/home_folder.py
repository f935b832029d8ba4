"""The home folder, the checkout that one may stand in, and what is filled into paths."""

from __future__ import annotations

import os
from pathlib import Path

from .errors import ConfigurationError


def home() -> Path:
    """Return the folder that holds everything: TRADEWIND_HOME, else AIRFLOW_HOME, else ~/tradewind.

    ``~`` and ``$NAME`` are expanded. The folder need not exist.

    Raises:
        ConfigurationError: none is named, and this user has no home; or its name is not text.
    """
    named = os.environ.get("TRADEWIND_HOME") or os.environ.get("AIRFLOW_HOME")
    try:
        found = Path(expand(named)).absolute() if named else Path.home() / "tradewind"
    except RuntimeError as error:  # a user id without an entry, in a container
        raise ConfigurationError(
            "This user has no home folder: set TRADEWIND_HOME to a folder of its own."
        ) from error
    try:
        str(found).encode()
    except UnicodeEncodeError as error:
        raise ConfigurationError(
            f"The home folder {str(found)!r} has a name that is not UTF-8, or the locale hides that"
            " it is: set TRADEWIND_HOME to another one, or LC_ALL=C.UTF-8."
        ) from error
    return found


def home_in_url() -> str:
    """Return the home folder as it stands in a URL, whose marks its name may have, too."""
    return str(home()).replace("%", "%25").replace("?", "%3F")


def default_dags_folder() -> Path:
    """Return ``dags/`` of the checkout one stands in where no home is named, else the home's."""
    is_home_named = "TRADEWIND_HOME" in os.environ or "AIRFLOW_HOME" in os.environ
    if not is_home_named and is_checkout(Path.cwd()):
        return Path.cwd() / "dags"
    return home() / "dags"


def is_checkout(folder: Path) -> bool:
    """Return whether *folder* is a checkout of Tradewind itself, however Tradewind is installed.

    Told by its ``pyproject.toml``: after ``pip install .`` the package in use lies elsewhere.
    """
    try:
        project = (folder / "pyproject.toml").read_text(encoding="utf-8")
    except (OSError, ValueError):
        return False
    return '\nname = "tradewind"\n' in project and (folder / "dags").is_dir()


def expand(value: str) -> str:
    """Fill in ``~`` and ``$NAME`` until nothing changes; unknown names stay as they are."""
    for _ in range(4):
        expanded = os.path.expandvars(_expand_user(value))
        if expanded == value:
            break
        value = expanded
    return value


def _expand_user(value: str) -> str:
    return str(Path(value).expanduser()) if value.startswith("~/") or value == "~" else value
