"""Hooks that installed provider packages bring, by type of connection.

A provider says so in its entry point ``apache_airflow_provider``; only its description is read
until a hook is asked for.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any, NamedTuple

from .exceptions import AirflowException
from .import_string import import_string


class HookClass(NamedTuple):
    """A hook, and the name of its argument that takes the id of a connection."""

    hook: Any
    connection_id_name: str


@functools.cache
def hook_paths() -> Mapping[str, str]:
    """Return type of connection → dotted path of its hook, for all installed providers."""
    found: dict[str, str] = {}
    for entry_point in entry_points(group="apache_airflow_provider"):
        for described in entry_point.load()().get("connection-types", ()):
            found.setdefault(described["connection-type"], described["hook-class-name"])
    return found


def hook_class(conn_type: str) -> HookClass:
    """Return the hook that serves a type of connection.

    Raises:
        AirflowException: no installed provider serves it.
    """
    path = hook_paths().get(conn_type)
    if path is None:
        raise AirflowException(
            f"no installed provider package has a hook for connections of type {conn_type!r}"
        )
    hook = import_string(path)
    return HookClass(hook, getattr(hook, "conn_name_attr", "conn_id"))
