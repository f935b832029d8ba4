"""Roles that people made, and what was added to the permissions of any role."""

from __future__ import annotations

import builtins
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from .errors import AlreadyExists, NotFound
from .event_writes import Event, write_events
from .operations import Operations
from .tables import role, role_permission, user_role

#: (action, resource): ("can_read", "DAG:sales").
Permission = tuple[str, str]
DAG_PREFIX = "DAG:"
RUN_PREFIX = "DAG Run:"
#: Names that Airflow 1 had for the actions on one DAG.
_OLD_ACTIONS = {"can_dag_read": "can_read", "can_dag_edit": "can_edit"}
#: Resources that the newer form of ``access_control`` may name.
_PREFIXES = {"DAGs": DAG_PREFIX, "DAG Runs": RUN_PREFIX}


class RoleOperations(Operations):
    """``store.roles``."""

    def list(self) -> builtins.list[str]:
        """Return the names of the roles that people made, in order."""
        with self._database.read() as connection:
            return list(connection.execute(select(role.c.name).order_by(role.c.name)).scalars())

    def create(self, name: str, *, now: datetime, actor: str) -> None:
        """Create a role without permissions.

        Raises:
            AlreadyExists: there is one.
        """
        with self._database.write() as connection:
            if connection.execute(select(role.c.name).where(role.c.name == name)).first():
                raise AlreadyExists(f"There is a role {name!r} already.")
            connection.execute(insert(role).values(name=name, created_at=now))
            write_events(connection, [Event("role.created", actor, detail={"role": name})], now)

    def delete(self, name: str, *, now: datetime, actor: str) -> None:
        """Delete a role that people made; its users lose it.

        Raises:
            NotFound: there is none.
        """
        with self._database.write() as connection:
            if connection.execute(delete(role).where(role.c.name == name)).rowcount == 0:
                raise NotFound(f"There is no role {name!r}.")
            connection.execute(delete(role_permission).where(role_permission.c.role == name))
            connection.execute(delete(user_role).where(user_role.c.role == name))
            write_events(connection, [Event("role.deleted", actor, detail={"role": name})], now)

    def permissions(self, roles: Collection[str]) -> dict[str, set[Permission]]:
        """Return role → the permissions that are stored for it; roles without any are absent."""
        if not roles:
            return {}
        statement = select(
            role_permission.c.role, role_permission.c.action, role_permission.c.resource
        ).where(role_permission.c.role.in_(sorted(roles)))
        found: dict[str, set[Permission]] = {}
        with self._database.read() as connection:
            for name, action, resource in connection.execute(statement):
                found.setdefault(name, set()).add((action, resource))
        return found

    def add_permissions(
        self, name: str, permissions: Iterable[Permission], *, now: datetime, actor: str
    ) -> int:
        """Add permissions to a role; return how many were new."""
        with self._database.write() as connection:
            return _add(connection, name, permissions, now, actor)

    def remove_permissions(
        self, name: str, permissions: Iterable[Permission], *, now: datetime, actor: str
    ) -> int:
        """Take permissions from a role; return how many it had."""
        with self._database.write() as connection:
            gone = 0
            for action, resource in permissions:
                gone += connection.execute(
                    delete(role_permission).where(
                        role_permission.c.role == name,
                        role_permission.c.action == action,
                        role_permission.c.resource == resource,
                    )
                ).rowcount
            detail = {"role": name, "removed": gone}
            write_events(connection, [Event("role.permissions", actor, detail=detail)], now)
        return gone

    def user_counts(self) -> dict[str, int]:
        """Return role → number of users who have it."""
        statement = select(user_role.c.role, func.count()).group_by(user_role.c.role)
        with self._database.read() as connection:
            return {row[0]: row[1] for row in connection.execute(statement)}


def _add(
    connection: Connection,
    name: str,
    permissions: Iterable[Permission],
    now: datetime,
    actor: str,
) -> int:
    stored = select(role_permission.c.action, role_permission.c.resource).where(
        role_permission.c.role == name
    )
    known = {(action, resource) for action, resource in connection.execute(stored)}
    new = sorted(set(permissions) - known)
    if new:
        connection.execute(
            insert(role_permission),
            [{"role": name, "action": action, "resource": resource} for action, resource in new],
        )
        detail = {"role": name, "added": [f"{action} on {what}" for action, what in new]}
        write_events(connection, [Event("role.permissions", actor, detail=detail)], now)
    return len(new)


def write_file_permissions(
    connection: Connection, dag_id: str, access_control: Mapping[str, Any] | None
) -> None:
    """Keep what a DAG file says about who may do what with its DAG.

    None: the file says nothing, and what people set stays. A mapping, also an empty one, replaces
    all permissions on this DAG. Source: Airflow 2.11's documentation, "DAG-level permissions".
    """
    resources = [DAG_PREFIX + dag_id, RUN_PREFIX + dag_id]
    from_file = role_permission.c.origin == "file"
    of_dag = role_permission.c.resource.in_(resources)
    if access_control is None:
        connection.execute(delete(role_permission).where(of_dag, from_file))
        return
    connection.execute(delete(role_permission).where(of_dag))
    rows = [
        {"role": name, "action": action, "resource": resource, "origin": "file"}
        for name, action, resource in sorted(set(_listed(dag_id, access_control)))
    ]
    if rows:
        connection.execute(insert(role_permission), rows)


def _listed(dag_id: str, access_control: Mapping[str, Any]) -> Iterable[tuple[str, str, str]]:
    for name, given in access_control.items():
        by_resource = given if isinstance(given, Mapping) else {"DAGs": given}
        for resource, actions in by_resource.items():
            for action in [actions] if isinstance(actions, str) else actions:
                yield str(name), _OLD_ACTIONS.get(action, action), _PREFIXES[resource] + dag_id
