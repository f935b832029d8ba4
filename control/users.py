"""Users of the web page, each with one of the five roles."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from ..database.errors import NotFound
from .input import InvalidInput

if TYPE_CHECKING:
    from ..database.values import UserRow
    from .services import Services

ROLES = ("Admin", "Op", "User", "Viewer", "Public")


def check_role(role: str) -> None:
    """Refuse a role that does not exist.

    Raises:
        InvalidInput: the text lists the roles.
    """
    if role not in ROLES:
        raise InvalidInput(f"{role} is not a valid role. Valid roles are: {', '.join(ROLES)}")


def find_user(
    services: Services, *, username: str | None = None, email: str | None = None
) -> UserRow | None:
    """Return the user with this name, or with this e-mail; None where there is none.

    Raises:
        InvalidInput: neither or both are given.
    """
    if (username is None) == (email is None):
        raise InvalidInput("Name the user by --username or by --email")
    for user in services.store.users.list():
        if username in (user.username,) or (email is not None and user.email == email):
            return user
    return None


def get_user(
    services: Services, *, username: str | None = None, email: str | None = None
) -> UserRow:
    """Return the user with this name, or with this e-mail.

    Raises:
        NotFound: there is none.
    """
    user = find_user(services, username=username, email=email)
    if user is None:
        raise NotFound(f'User "{username or email}" does not exist')
    return user


def create_user(
    services: Services,
    *,
    username: str,
    first_name: str,
    last_name: str,
    email: str,
    role: str,
    password: str,
) -> None:
    """Create a user.

    Raises:
        InvalidInput: the role does not exist, or name or password are empty.
        AlreadyExists: the name is taken.
    """
    check_role(role)
    if not username.strip() or not password:
        raise InvalidInput("A user needs a name and a password")
    services.store.users.create(
        username=username,
        password=password,
        role=role,
        email=email,
        first_name=first_name,
        last_name=last_name,
        now=services.now(),
        actor=services.actor,
    )


def delete_user(
    services: Services, *, username: str | None = None, email: str | None = None
) -> str:
    """Delete a user and return the name."""
    user = get_user(services, username=username, email=email)
    services.store.users.delete(user.username, now=services.now(), actor=services.actor)
    return user.username


def set_password(services: Services, username: str, password: str) -> None:
    """Give a user a new password."""
    if not password:
        raise InvalidInput("A user needs a password")
    services.store.users.set_password(username, password, now=services.now(), actor=services.actor)


def ensure_admin(services: Services, username: str) -> str | None:
    """Make an admin where there is no user at all; return its drawn password, else None."""
    if services.store.users.list():
        return None
    password = secrets.token_urlsafe(12)
    create_user(
        services,
        username=username,
        first_name="Admin",
        last_name="User",
        email=f"{username}@localhost",
        role="Admin",
        password=password,
    )
    return password
