"""Roles: the five of Airflow, and those that people make."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..database.errors import AlreadyExists, NotFound
from .input import InvalidInput
from .permissions import ACTIONS, BUILT_IN, RESOURCES, Permission, is_resource

if TYPE_CHECKING:
    from .services import Services

NAME_LENGTH_MAX = 64


@dataclass(frozen=True, slots=True)
class Role:
    """A role, with all that it may do in order."""

    name: str
    is_built_in: bool
    permissions: Sequence[Permission]
    user_count: int


def role_names(services: Services) -> list[str]:
    """Return the names of all roles, the built-in ones first."""
    return [*BUILT_IN, *(name for name in services.store.roles.list() if name not in BUILT_IN)]


def list_roles(services: Services) -> list[Role]:
    """Return all roles, the built-in ones first."""
    names = role_names(services)
    stored = services.store.roles.permissions(names)
    counts = services.store.roles.user_counts()
    return [
        Role(
            name=name,
            is_built_in=name in BUILT_IN,
            permissions=sorted(BUILT_IN.get(name, frozenset()) | stored.get(name, set())),
            user_count=counts.get(name, 0),
        )
        for name in names
    ]


def get_role(services: Services, name: str) -> Role:
    """Return one role.

    Raises:
        NotFound: there is none.
    """
    for one in list_roles(services):
        if one.name == name:
            return one
    raise NotFound(f"There is no role {name!r}")


def check_roles(services: Services, roles: Iterable[str]) -> None:
    """Refuse roles that do not exist.

    Raises:
        InvalidInput: the text lists the roles that do.
    """
    known = role_names(services)
    for name in roles:
        if name not in known:
            raise InvalidInput(f"{name} is not a valid role. Valid roles are: {', '.join(known)}")


def create_role(services: Services, name: str, permissions: Iterable[Permission] = ()) -> None:
    """Create a role.

    Raises:
        InvalidInput: the name or a permission is none.
        AlreadyExists: the name is taken, perhaps by a built-in role.
    """
    if not name.strip() or len(name) > NAME_LENGTH_MAX or not name.isprintable():
        raise InvalidInput(f"A role's name has 1 to {NAME_LENGTH_MAX} printable characters")
    wanted = list(permissions)
    _check_permissions(wanted)
    if name in BUILT_IN:
        raise AlreadyExists(f"There is a role {name!r} already.")
    services.store.roles.create(name, now=services.now(), actor=services.actor)
    if wanted:
        add_permissions(services, name, wanted)


def delete_role(services: Services, name: str) -> None:
    """Delete a role that people made; its users lose it.

    Raises:
        NotFound: there is none.
        InvalidInput: it is built in.
    """
    if name in BUILT_IN:
        raise InvalidInput(f"The role {name!r} is built in and cannot be deleted")
    services.store.roles.delete(name, now=services.now(), actor=services.actor)


def add_permissions(services: Services, name: str, permissions: Iterable[Permission]) -> int:
    """Add permissions to a role, also to a built-in one; return how many were new.

    Raises:
        NotFound: there is no such role. InvalidInput: a permission is none.
    """
    wanted = set(permissions)
    _check_permissions(wanted)
    if name not in role_names(services):
        raise NotFound(f"There is no role {name!r}")
    new = wanted - BUILT_IN.get(name, frozenset())
    return services.store.roles.add_permissions(name, new, now=services.now(), actor=services.actor)


def remove_permissions(services: Services, name: str, permissions: Iterable[Permission]) -> int:
    """Take permissions from a role; return how many it had.

    Raises:
        NotFound: there is no such role.
        InvalidInput: the role has one of them built in.
    """
    wanted = set(permissions)
    if name not in role_names(services):
        raise NotFound(f"There is no role {name!r}")
    fixed = sorted(wanted & BUILT_IN.get(name, frozenset()))
    if fixed:
        action, resource = fixed[0]
        raise InvalidInput(
            f"The role {name!r} always has {action} on {resource}; make a role of your own instead"
        )
    return services.store.roles.remove_permissions(
        name, wanted, now=services.now(), actor=services.actor
    )


def set_permissions(services: Services, name: str, permissions: Iterable[Permission]) -> None:
    """Give a role exactly these permissions, beside those that are built in.

    Raises:
        NotFound: there is no such role. InvalidInput: a permission is none.
    """
    wanted = set(permissions)
    _check_permissions(wanted)
    had = set(get_role(services, name).permissions) - BUILT_IN.get(name, frozenset())
    if had - wanted:
        remove_permissions(services, name, had - wanted)
    add_permissions(services, name, wanted)


def export_roles(services: Services) -> list[dict[str, Any]]:
    """Return all roles as ``roles export`` writes them: one entry per role and resource."""
    rows: list[dict[str, Any]] = []
    for role in list_roles(services):
        by_resource: dict[str, list[str]] = {}
        for action, resource in role.permissions:
            by_resource.setdefault(resource, []).append(action)
        rows += [
            {"name": role.name, "resource": resource, "action": ",".join(sorted(actions))}
            for resource, actions in sorted(by_resource.items())
        ] or [{"name": role.name, "resource": "", "action": ""}]
    return rows


def import_roles(services: Services, rows: Any) -> int:
    """Create roles and add permissions from what ``export_roles`` gave; return how many roles.

    Raises:
        InvalidInput: it has another form; nothing was changed.
    """
    wanted: dict[str, set[Permission]] = {}
    for row in rows if isinstance(rows, list) else [None]:
        if not isinstance(row, Mapping) or not isinstance(row.get("name"), str):
            raise InvalidInput("A list of roles is expected, each with name, resource and action")
        of_role = wanted.setdefault(row["name"], set())
        if row.get("resource"):
            actions = str(row.get("action", "")).split(",")
            of_role |= {(one.strip(), str(row["resource"])) for one in actions if one.strip()}
    for permissions in wanted.values():
        _check_permissions(permissions)
    known = set(role_names(services))
    for name, permissions in wanted.items():
        if name not in known:
            create_role(services, name)
        add_permissions(services, name, permissions)
    return len(wanted)


def _check_permissions(permissions: Iterable[Permission]) -> None:
    for action, resource in permissions:
        if action not in ACTIONS:
            raise InvalidInput(f"There is no action {action!r}; use one of {', '.join(ACTIONS)}")
        if not is_resource(resource):
            raise InvalidInput(
                f"There is no resource {resource!r}; use DAG:<dag_id>, DAG Run:<dag_id> or one of "
                f"{', '.join(RESOURCES)}"
            )
