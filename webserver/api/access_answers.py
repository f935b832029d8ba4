"""What version 1 answers about users, roles and permissions."""

from __future__ import annotations

from .answers_v1 import Answer, CollectionInfo


class NameOnly(Answer, kw_only=True):
    """An action, a resource or a role by its name."""

    name: str


class ActionResource(Answer, kw_only=True):
    """One permission."""

    action: NameOnly
    resource: NameOnly


class Role(Answer, kw_only=True):
    """A role with all that it may do."""

    name: str
    actions: list[ActionResource]


class RoleCollection(CollectionInfo, kw_only=True):
    """One page of a list."""

    roles: list[Role]


class ActionCollection(CollectionInfo, kw_only=True):
    """One page of a list."""

    actions: list[NameOnly]
