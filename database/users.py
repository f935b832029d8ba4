"""Users of the web page: names, roles, and hashes of passwords (scrypt)."""

from __future__ import annotations

import builtins
import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from .errors import AlreadyExists, UserNotFound
from .event_writes import Event, write_events
from .operations import Operations
from .tables import access_token, login_session, user, user_role
from .values import UserRow


class UserOperations(Operations):
    """``store.users``: who may sign in."""

    def create(
        self,
        *,
        username: str,
        password: str | None,
        roles: Sequence[str],
        email: str = "",
        first_name: str = "",
        last_name: str = "",
        now: datetime,
        actor: str = "scheduler",
    ) -> UserRow:
        """Create a user. ``password`` None: one who signs in elsewhere, never with a password.

        Raises:
            AlreadyExists: the name is taken.
        """
        hashed = "" if password is None else _hash(password)
        with self._database.write() as connection:
            if connection.execute(select(user.c.id).where(user.c.username == username)).first():
                raise AlreadyExists(f"There is a user {username!r} already.")
            row = connection.execute(
                insert(user)
                .values(
                    username=username,
                    password_hash=hashed,
                    email=email,
                    first_name=first_name,
                    last_name=last_name,
                    created_at=now,
                )
                .returning(user)
            ).one()
            _write_roles(connection, row.id, roles)
            detail = {"username": username, "roles": sorted(set(roles))}
            write_events(connection, [Event("user.created", actor, detail=detail)], now)
        return _user_row(row, tuple(sorted(set(roles))))

    def verify(self, username: str, password: str, *, now: datetime) -> UserRow | None:
        """Return the user whose password this is, None: the name or the password is wrong.

        An unknown name takes as long as a wrong password. The attempt is counted.
        """
        from werkzeug.security import check_password_hash

        with self._database.read() as connection:
            row = connection.execute(
                select(user).where(user.c.username == username, user.c.is_active.is_(True))
            ).one_or_none()
        known = row.password_hash if row is not None and row.password_hash else _NOBODY
        is_right = check_password_hash(known, password) and known != _NOBODY
        if row is None:
            return None
        counted = (
            {"last_login_at": now, "login_count": user.c.login_count + 1, "failed_login_count": 0}
            if is_right
            else {"failed_login_count": user.c.failed_login_count + 1}
        )
        with self._database.write() as connection:
            connection.execute(update(user).where(user.c.id == row.id).values(counted))
            if not is_right:
                write_events(connection, [Event("user.login_failed", f"user:{username}")], now)
        return self.get(username) if is_right else None

    def get(self, username: str) -> UserRow | None:
        """Return one user or None."""
        found = self._select(user.c.username == username)
        return found[0] if found else None

    def by_id(self, user_id: int) -> UserRow | None:
        """Return one user or None."""
        found = self._select(user.c.id == user_id)
        return found[0] if found else None

    def find_by_email(self, email: str) -> UserRow | None:
        """Return the first user with this address, or None."""
        found = self._select(user.c.email == email)
        return found[0] if found else None

    def list(self) -> builtins.list[UserRow]:
        """Return all users by name."""
        return self._select()

    def _select(self, *conditions: Any) -> builtins.list[UserRow]:
        statement = (
            select(user, user_role.c.role)
            .outerjoin(user_role, user_role.c.user_id == user.c.id)
            .where(*conditions)
            .order_by(user.c.username, user_role.c.role)
        )
        with self._database.read() as connection:
            rows = connection.execute(statement).all()
        roles: dict[int, builtins.list[str]] = {}
        for row in rows:
            of_user = roles.setdefault(row.id, [])
            if row.role is not None:
                of_user.append(row.role)
        first = {row.id: row for row in reversed(rows)}
        return [_user_row(first[user_id], tuple(names)) for user_id, names in roles.items()]

    def count(self) -> int:
        """Return how many users there are."""
        with self._database.read() as connection:
            return int(connection.execute(select(func.count()).select_from(user)).scalar_one())

    def delete(self, username: str, *, now: datetime, actor: str) -> None:
        """Delete a user, with sessions and tokens.

        Raises:
            UserNotFound: there is none.
        """
        with self._database.write() as connection:
            gone = connection.execute(delete(user).where(user.c.username == username))
            if gone.rowcount == 0:
                raise UserNotFound(username)
            event = Event("user.deleted", actor, detail={"username": username})
            write_events(connection, [event], now)

    def set_password(self, username: str, password: str, *, now: datetime, actor: str) -> None:
        """Give a user a new password; sessions and tokens that began with the old one end.

        Raises:
            UserNotFound: there is no such user.
        """
        values = {"password_hash": _hash(password)}
        with self._database.write() as connection:
            user_id = self._update(connection, username, values, "user.password", now, actor)
            _end_all(connection, user_id, with_tokens=True)

    def set_active(self, username: str, is_active: bool, *, now: datetime, actor: str) -> None:
        """Let a user sign in, or no longer; the latter ends all sessions and tokens at once.

        Raises:
            UserNotFound: there is no such user.
        """
        kind = "user.activated" if is_active else "user.deactivated"
        with self._database.write() as connection:
            user_id = self._update(connection, username, {"is_active": is_active}, kind, now, actor)
            if not is_active:
                _end_all(connection, user_id, with_tokens=True)

    def set_profile(
        self, username: str, fields: dict[str, str], *, now: datetime, actor: str
    ) -> None:
        """Change name or address: ``username``, ``email``, ``first_name``, ``last_name``.

        Raises:
            UserNotFound: there is no such user.
            AlreadyExists: the new name is taken.
        """
        with self._database.write() as connection:
            wanted = fields.get("username", username)
            if wanted != username:
                taken = select(user.c.id).where(user.c.username == wanted)
                if connection.execute(taken).first():
                    raise AlreadyExists(f"There is a user {wanted!r} already.")
            self._update(connection, username, dict(fields), "user.changed", now, actor)

    def set_roles(self, username: str, roles: Sequence[str], *, now: datetime, actor: str) -> None:
        """Give a user other roles; sessions end, and begin anew with the next login.

        Raises:
            UserNotFound: there is no such user.
        """
        with self._database.write() as connection:
            detail = {"roles": sorted(set(roles))}
            user_id = self._update(connection, username, {}, "user.roles", now, actor, detail)
            connection.execute(delete(user_role).where(user_role.c.user_id == user_id))
            _write_roles(connection, user_id, roles)
            _end_all(connection, user_id, with_tokens=False)

    def _update(
        self,
        connection: Connection,
        username: str,
        values: dict[str, Any],
        kind: str,
        now: datetime,
        actor: str,
        detail: dict[str, Any] | None = None,
    ) -> int:
        changed = connection.execute(
            update(user)
            .where(user.c.username == username)
            .values(changed_at=now, **values)
            .returning(user.c.id)
        ).scalar()
        if changed is None:
            raise UserNotFound(username)
        about = {"username": username, **(detail or {})}
        write_events(connection, [Event(kind, actor, detail=about)], now)
        return int(changed)


def _write_roles(connection: Connection, user_id: int, roles: Iterable[str]) -> None:
    rows = [{"user_id": user_id, "role": name} for name in sorted(set(roles))]
    if rows:
        connection.execute(insert(user_role), rows)


def _end_all(connection: Connection, user_id: int, *, with_tokens: bool) -> None:
    connection.execute(delete(login_session).where(login_session.c.user_id == user_id))
    if with_tokens:
        connection.execute(delete(access_token).where(access_token.c.user_id == user_id))


def _hash(password: str) -> str:
    from werkzeug.security import generate_password_hash

    return generate_password_hash(password, method="scrypt")


#: A hash that no password has: what an unknown name is compared with.
_NOBODY = "scrypt:32768:8:1$nobody$" + "0" * 128


def _user_row(row: Any, roles: tuple[str, ...]) -> UserRow:
    return UserRow(
        id=row.id,
        username=row.username,
        roles=roles,
        email=row.email,
        first_name=row.first_name,
        last_name=row.last_name,
        is_active=row.is_active,
        created_at=row.created_at,
        password_fingerprint=hashlib.sha256(row.password_hash.encode()).hexdigest()[:16],
        changed_at=row.changed_at,
        last_login_at=row.last_login_at,
        login_count=row.login_count,
        failed_login_count=row.failed_login_count,
        has_password=bool(row.password_hash),
    )
