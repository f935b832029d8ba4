"""What may be permitted, and what the five built-in roles may do.

A permission is an action on a resource, as in Airflow with FAB. Each built-in role has what the
one before it has, and more. Source: ``spec/security.md`` section 2 (FAB 2.11, 3.10).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

Permission = tuple[str, str]

ACTIONS: Final = ("can_read", "can_create", "can_edit", "can_delete", "menu_access")
READ, CREATE, EDIT, DELETE, MENU = ACTIONS
DAG_PREFIX: Final = "DAG:"
RUN_PREFIX: Final = "DAG Run:"


def _each(actions: Iterable[str], *resources: str) -> set[Permission]:
    return {(action, resource) for action in actions for resource in resources}


_VIEWER = (
    _each(
        [READ],
        "DAGs",
        "DAG Code",
        "DAG Dependencies",
        "DAG Runs",
        "DAG Versions",
        "DAG Warnings",
        "Datasets",
        "Assets",
        "Asset Aliases",
        "Cluster Activity",
        "ImportError",
        "Jobs",
        "Pools",
        "SLA Misses",
        "Task Instances",
        "Task Logs",
        "XComs",
        "Website",
    )
    | _each([READ, EDIT], "My Password", "My Profile")
    | _each(
        [MENU],
        "Assets",
        "Browse",
        "Cluster Activity",
        "DAG Dependencies",
        "DAG Runs",
        "DAGs",
        "Datasets",
        "Docs",
        "Documentation",
        "Jobs",
        "SLA Misses",
        "Task Instances",
    )
)
_USER = (
    _each([EDIT, DELETE], "DAGs")
    | _each([CREATE, EDIT, DELETE], "DAG Runs", "Task Instances")
    | _each([CREATE], "Datasets", "Assets")
)
_OP = (
    _each([READ], "Configurations", "Plugins", "Providers")
    | _each(
        [MENU],
        "Admin",
        "Configurations",
        "Connections",
        "Plugins",
        "Pools",
        "Providers",
        "Variables",
        "XComs",
    )
    | _each([CREATE, READ, EDIT, DELETE], "Connections", "Variables")
    | _each([CREATE, EDIT, DELETE], "Pools")
    | _each([DELETE], "XComs", "Datasets", "Assets")
)
_ADMIN = (
    _each([READ], "Audit Logs", "Task Reschedules", "Triggers", "Passwords", "Permissions")
    | _each([EDIT], "Passwords")
    | _each([CREATE, READ, EDIT, DELETE], "Users", "Roles")
    | _each([CREATE, EDIT], "XComs")
    | _each(
        [MENU], "Audit Logs", "Permissions", "Roles", "Security", "Task Reschedules",
        "Triggers", "Users",
    )
)  # fmt: skip

#: What each built-in role always may do. Nothing can be taken away from it.
BUILT_IN: Final[Mapping[str, frozenset[Permission]]] = {
    "Public": frozenset(),
    "Viewer": frozenset(_VIEWER),
    "User": frozenset(_VIEWER | _USER),
    "Op": frozenset(_VIEWER | _USER | _OP),
    "Admin": frozenset(_VIEWER | _USER | _OP | _ADMIN),
}
#: All resources but those of single DAGs.
RESOURCES: Final = tuple(sorted({resource for some in BUILT_IN.values() for _, resource in some}))


def is_resource(name: str) -> bool:
    """Tell whether *name* is something that can be permitted."""
    prefixed = name.startswith((DAG_PREFIX, RUN_PREFIX)) and not name.endswith(":")
    return prefixed or name in RESOURCES
