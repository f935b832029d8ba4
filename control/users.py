"""Users of the web page, each with one role or several."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..database.errors import NotAllowed, NotFound
from .input import InvalidInput
from .roles import check_roles

if TYPE_CHECKING:
    from ..database.values import UserRow
    from .services import Services

PASSWORD_LENGTH_MAX = 1000
PROFILE_FIELDS = ("username", "email", "first_name", "last_name")


def find_user(
    services: Services, *, username: str | None = None, email: str | None = None
) -> UserRow | None:
    """Return the user with this name, or with this e-mail; None where there is none.

    Raises:
        InvalidInput: neither or both are given.
    """
    if (username is None) == (email is None):
        raise InvalidInput("Name the user by --username or by --email")
    if username is not None:
        return services.store.users.get(username)
    return services.store.users.find_by_email(str(email))


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
    roles: Sequence[str],
    password: str | None,
) -> UserRow:
    """Create a user. ``password`` None: one who signs in through a proxy or OpenID Connect.

    Raises:
        InvalidInput: a role does not exist, or name or password are empty.
        AlreadyExists: the name is taken.
    """
    check_roles(services, roles)
    _check_name(username)
    if password is not None:
        _check_password(password)
    return services.store.users.create(
        username=username,
        password=password,
        roles=roles,
        email=email,
        first_name=first_name,
        last_name=last_name,
        now=services.now(),
        actor=services.actor,
    )


def delete_user(
    services: Services, *, username: str | None = None, email: str | None = None
) -> str:
    """Delete a user and return the name.

    Raises:
        NotFound: there is none. NotAllowed: it is the last admin who can sign in.
    """
    user = get_user(services, username=username, email=email)
    _keep_an_admin(services, user)
    services.store.users.delete(user.username, now=services.now(), actor=services.actor)
    return user.username


def set_password(services: Services, username: str, password: str) -> None:
    """Give a user a new password; all their sessions and tokens end.

    Raises:
        NotFound: there is no such user. InvalidInput: the password is empty.
    """
    _check_password(password)
    services.store.users.set_password(username, password, now=services.now(), actor=services.actor)


def change_own_password(services: Services, username: str, old: str, new: str) -> None:
    """Give a user who knows the old password a new one.

    Raises:
        InvalidInput: the old one is wrong, or the new one is empty.
    """
    if services.store.users.verify(username, old, now=services.now()) is None:
        raise InvalidInput("The old password is wrong")
    set_password(services, username, new)


def set_active(services: Services, username: str, *, is_active: bool) -> None:
    """Let a user sign in, or end all sessions and tokens and let them in no more.

    Raises:
        NotFound: there is no such user. NotAllowed: it is the last admin who can sign in.
    """
    user = get_user(services, username=username)
    if not is_active:
        _keep_an_admin(services, user)
    services.store.users.set_active(username, is_active, now=services.now(), actor=services.actor)


def set_roles(services: Services, username: str, roles: Sequence[str]) -> None:
    """Give a user other roles; their sessions end.

    Raises:
        NotFound: there is no such user. InvalidInput: a role does not exist.
        NotAllowed: nobody would be an admin any more.
    """
    check_roles(services, roles)
    user = get_user(services, username=username)
    if "Admin" not in roles:
        _keep_an_admin(services, user)
    services.store.users.set_roles(username, roles, now=services.now(), actor=services.actor)


def add_role(services: Services, user: UserRow, role: str) -> None:
    """Give a user one more role.

    Raises:
        InvalidInput: there is no such role, or the user has it.
    """
    check_roles(services, [role])
    if role in user.roles:
        raise InvalidInput(f'User "{user.username}" is already a member of role "{role}"')
    set_roles(services, user.username, [*user.roles, role])


def remove_role(services: Services, user: UserRow, role: str) -> None:
    """Take a role from a user.

    Raises:
        InvalidInput: there is no such role, or the user does not have it.
    """
    check_roles(services, [role])
    if role not in user.roles:
        raise InvalidInput(f'User "{user.username}" is not a member of role "{role}"')
    set_roles(services, user.username, [one for one in user.roles if one != role])


def set_profile(services: Services, username: str, fields: Mapping[str, str]) -> None:
    """Change name or e-mail: any of ``PROFILE_FIELDS``.

    Raises:
        NotFound: there is no such user. AlreadyExists: the new name is taken.
        InvalidInput: a field is none of these, or the name is empty.
    """
    unknown = sorted(set(fields) - set(PROFILE_FIELDS))
    if unknown:
        raise InvalidInput(f"A user has no {', '.join(unknown)} that can be changed")
    if "username" in fields:
        _check_name(fields["username"])
    services.store.users.set_profile(
        username, dict(fields), now=services.now(), actor=services.actor
    )


def export_users(services: Services) -> list[dict[str, Any]]:
    """Return all users as ``users export`` writes them, without passwords."""
    return [
        {
            "id": user.id,
            "username": user.username,
            "email": user.email,
            "firstname": user.first_name,
            "lastname": user.last_name,
            "roles": list(user.roles),
        }
        for user in services.store.users.list()
    ]


def import_users(services: Services, rows: Any) -> tuple[list[str], list[str]]:
    """Create and change users; return the names of each. New ones get a password that nobody knows.

    Raises:
        InvalidInput: it has another form, or names a role that does not exist; nothing is changed.
    """
    wanted = [_imported(row) for row in (rows if isinstance(rows, list) else [None])]
    for row in wanted:
        check_roles(services, row["roles"])
    created, changed = [], []
    for row in wanted:
        name = row["username"]
        profile = {"first_name": row["firstname"], "last_name": row["lastname"]}
        if services.store.users.get(name) is None:
            create_user(
                services,
                username=name,
                email=row["email"],
                roles=row["roles"],
                password=secrets.token_urlsafe(24),
                **profile,
            )
            created.append(name)
        else:
            set_profile(services, name, {"email": row["email"], **profile})
            set_roles(services, name, row["roles"])
            changed.append(name)
    return created, changed


def _imported(row: Any) -> dict[str, Any]:
    texts = ("username", "email", "firstname", "lastname")
    if (
        not isinstance(row, Mapping)
        or not all(isinstance(row.get(name), str) for name in texts)
        or not isinstance(row.get("roles"), list)
    ):
        raise InvalidInput(
            "A list of users is expected, each with username, email, firstname, lastname and roles"
        )
    return {**{name: row[name] for name in texts}, "roles": [str(one) for one in row["roles"]]}


def ensure_admin(services: Services, username: str) -> str | None:
    """Make an admin where there is no user at all; return its drawn password, else None."""
    if services.store.users.count():
        return None
    password = secrets.token_urlsafe(12)
    create_user(
        services,
        username=username,
        first_name="Admin",
        last_name="User",
        email=f"{username}@localhost",
        roles=["Admin"],
        password=password,
    )
    return password


def _check_name(username: str) -> None:
    if not username.strip() or not username.isprintable() or len(username) > 250:
        raise InvalidInput("A user needs a name of at most 250 printable characters")


def _check_password(password: str) -> None:
    if not password or len(password) > PASSWORD_LENGTH_MAX:
        raise InvalidInput(f"A user needs a password of 1 to {PASSWORD_LENGTH_MAX} characters")


def _keep_an_admin(services: Services, user: UserRow) -> None:
    """Refuse to take away the last admin who can sign in: nobody could make another."""
    if "Admin" not in user.roles or not user.is_active:
        return
    others = [
        one
        for one in services.store.users.list()
        if "Admin" in one.roles and one.is_active and one.id != user.id
    ]
    if not others:
        raise NotAllowed(f"{user.username} is the last admin; make another one first")
