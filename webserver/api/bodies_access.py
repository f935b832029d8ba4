"""What may stand in the body of a request about users and roles (version 1)."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from .bodies import Body

Word = Annotated[str, Meta(max_length=250)]


class Named(Struct, forbid_unknown_fields=True, kw_only=True):
    """A role, an action or a resource by its name."""

    name: Annotated[str, Meta(min_length=1, max_length=250)]


class UserV1(Body, kw_only=True):
    """A user. In a PATCH what is left out stays."""

    username: Word | UnsetType = UNSET
    first_name: Word | UnsetType = UNSET
    last_name: Word | UnsetType = UNSET
    email: Annotated[str, Meta(max_length=500)] | UnsetType = UNSET
    roles: list[Named] | UnsetType = UNSET
    password: Annotated[str, Meta(max_length=1000)] | UnsetType = UNSET


class ActionResource(Struct, forbid_unknown_fields=True, kw_only=True):
    """One permission."""

    action: Named
    resource: Named


class RoleV1(Body, kw_only=True):
    """A role. In a PATCH what is left out stays."""

    name: Word | UnsetType = UNSET
    actions: list[ActionResource] | UnsetType = UNSET
