"""Users that somebody else vouches for: a proxy, or an OpenID Connect provider."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..control.users import create_user, set_roles
from ..database.errors import AlreadyExists

if TYPE_CHECKING:
    from ..control.services import Services
    from ..database.values import UserRow


def find_or_register(
    services: Services,
    username: str,
    *,
    role: str | None,
    roles: Sequence[str] | None = None,
    email: str = "",
    first_name: str = "",
    last_name: str = "",
) -> UserRow | None:
    """Return an active user by name, made with *role* where there is none yet.

    Args:
        role: None: who is new is refused.
        roles: what the provider says that the user may do now, none at all: they are refused.
            None: roles are given here.

    Returns:
        None: the user is not active, or new and not to be made.

    Raises:
        InvalidInput: the name is none, or a role does not exist.
    """
    if roles is not None and not roles:
        return None
    acting = replace(services, actor=f"user:{username}")
    user = services.store.users.get(username)
    if user is None:
        wanted = list(roles or ([role] if role else []))
        if not wanted:
            return None
        try:
            return create_user(
                acting,
                username=username,
                first_name=first_name,
                last_name=last_name,
                email=email,
                roles=wanted,
                password=None,
            )
        except AlreadyExists:  # two requests at once
            user = services.store.users.get(username)
    if user is None or not user.is_active:
        return None
    if roles is not None and set(roles) != set(user.roles):
        set_roles(acting, username, roles)
        user = services.store.users.get(username)
    return user
