"""Settings under the names of ``airflow.settings`` and ``airflow.configuration``.

Values are read when they are asked for, so importing a DAG file never freezes one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import timezone
from .configuration import conf, dags_folder, home

_VALUES: dict[str, Callable[[], Any]] = {
    "AIRFLOW_HOME": lambda: str(home()),
    "DAGS_FOLDER": lambda: str(dags_folder()),
    "PLUGINS_FOLDER": lambda: conf.get("core", "plugins_folder", fallback=str(home() / "plugins")),
    "TIMEZONE": lambda: timezone.normalise_timezone(timezone.default_timezone()),
}


def __getattr__(name: str) -> Any:
    if name in _VALUES:
        return _VALUES[name]()
    raise AttributeError(name)


def get(section: str, key: str, **kwargs: Any) -> Any:
    """Return one setting as text; see ``conf.get``."""
    return conf.get(section, key, **kwargs)


def getboolean(section: str, key: str, **kwargs: Any) -> bool:
    """Return one setting as a truth value; see ``conf.getboolean``."""
    return conf.getboolean(section, key, **kwargs)


def getint(section: str, key: str, **kwargs: Any) -> int:
    """Return one setting as a whole number; see ``conf.getint``."""
    return conf.getint(section, key, **kwargs)


def getfloat(section: str, key: str, **kwargs: Any) -> float:
    """Return one setting as a number; see ``conf.getfloat``."""
    return conf.getfloat(section, key, **kwargs)


def has_option(section: str, key: str, **kwargs: Any) -> bool:
    """Tell whether a setting has a value; see ``conf.has_option``."""
    return conf.has_option(section, key, **kwargs)


def pod_mutation_hook(pod: Any) -> None:
    """Leave a pod as it is; Airflow calls this hook before it starts one."""


def configure_orm(*args: Any, **kwargs: Any) -> None:
    """Do nothing: there is no database to be set up here."""
