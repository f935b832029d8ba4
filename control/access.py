"""What one person may do: the permissions of all their roles together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..sdk.errors import TradewindError
from .permissions import (
    BUILT_IN,
    CREATE,
    DAG_PREFIX,
    DELETE,
    EDIT,
    MENU,
    READ,
    RUN_PREFIX,
    Permission,
)

if TYPE_CHECKING:
    from .services import Services


class AccessDenied(TradewindError):
    """The person who asks may not do this."""


@dataclass(frozen=True, slots=True)
class Access:
    """Permissions of one person, as asked for with each request."""

    permissions: frozenset[Permission]

    def has(self, action: str, resource: str) -> bool:
        """Tell whether *action* is permitted on *resource*, a kind of thing."""
        return (action, resource) in self.permissions

    def has_on_dag(self, action: str, dag_id: str | None) -> bool:
        """Tell whether *action* is permitted on a DAG; None: on at least one."""
        if (action, "DAGs") in self.permissions:
            return True
        if dag_id is not None:
            return (action, DAG_PREFIX + dag_id) in self.permissions
        return any(
            name == action and resource.startswith(DAG_PREFIX)
            for name, resource in self.permissions
        )

    def has_on_runs(self, action: str, dag_id: str | None) -> bool:
        """Tell whether *action* is permitted on the runs of a DAG, or on those of all."""
        if (action, "DAG Runs") in self.permissions:
            return True
        return dag_id is not None and (action, RUN_PREFIX + dag_id) in self.permissions

    def may_hook(self, dag_id: str | None) -> bool:
        """Tell whether a webhook may be made or revoked: by those who may do what it does.

        ``dag_id`` None: it posts events of an asset.
        """
        if dag_id is None:
            return self.has(CREATE, "Assets")
        return self.has_on_dag(EDIT, dag_id) and self.has_on_runs(CREATE, dag_id)

    def dag_ids(self, action: str) -> frozenset[str] | None:
        """Return the DAGs on which *action* is permitted; None: on all."""
        if (action, "DAGs") in self.permissions:
            return None
        return frozenset(
            resource.removeprefix(DAG_PREFIX)
            for name, resource in self.permissions
            if name == action and resource.startswith(DAG_PREFIX)
        )

    def reading_only(self) -> Access:
        """Return the same without anything that changes something."""
        return Access(frozenset(one for one in self.permissions if one[0] in (READ, MENU)))


def access_of(services: Services, roles: Iterable[str]) -> Access:
    """Return what people with these roles may do: the union."""
    names = set(roles)
    found: set[Permission] = set()
    for name in names:
        found |= BUILT_IN.get(name, frozenset())
    for stored in services.store.roles.permissions(names).values():
        found |= stored
    # Airflow 2 calls them datasets: a role that was made there means the same.
    found |= {(action, "Assets") for action, resource in found if resource == "Datasets"}
    return Access(frozenset(found))


__all__ = ["CREATE", "DELETE", "EDIT", "MENU", "READ", "Access", "AccessDenied", "access_of"]
