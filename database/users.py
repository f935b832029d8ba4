"""Users of the web page: names, roles, and hashes of passwords (scrypt)."""

from __future__ import annotations

import builtins
import hashlib
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from .errors import AlreadyExists, UserNotFound
from .event_writes import Event, write_events
from .operations import Operations
from .tables import user
from .values import UserRow


class UserOperations(Operations):
    """``store.users``: who may sign in."""

    def create(
        self,
        *,
        username: str,
        password: str,
        role: str,
        email: str = "",
        first_name: str = "",
        last_name: str = "",
        now: datetime,
        actor: str = "scheduler",
    ) -> UserRow:
        """Create a user.

        Raises:
            AlreadyExists: the name is taken.
        """
        hashed = _hash(password)
        with self._database.write() as connection:
            if connection.execute(select(user.c.id).where(user.c.username == username)).first():
                raise AlreadyExists(f"There is a user {username!r} already.")
            row = connection.execute(
                insert(user)
                .values(
                    username=username,
                    password_hash=hashed,
                    role=role,
                    email=email,
                    first_name=first_name,
                    last_name=last_name,
                    created_at=now,
                )
                .returning(user)
            ).one()
            event = Event("user.created", actor, detail={"username": username, "role": role})
            write_events(connection, [event], now)
        return _user_row(row)

    def verify(self, username: str, password: str) -> UserRow | None:
        """Return the user whose password this is, None: the name or the password is wrong.

        An unknown name takes as long as a wrong password.
        """
        from werkzeug.security import check_password_hash

        with self._database.read() as connection:
            row = connection.execute(
                select(user).where(user.c.username == username, user.c.is_active.is_(True))
            ).one_or_none()
        is_right = check_password_hash(_NOBODY if row is None else row.password_hash, password)
        return _user_row(row) if row is not None and is_right else None

    def get(self, username: str) -> UserRow | None:
        """Return one user or None."""
        with self._database.read() as connection:
            row = connection.execute(select(user).where(user.c.username == username)).one_or_none()
        return None if row is None else _user_row(row)

    def list(self) -> builtins.list[UserRow]:
        """Return all users by name."""
        with self._database.read() as connection:
            rows = connection.execute(select(user).order_by(user.c.username)).all()
        return [_user_row(row) for row in rows]

    def count(self) -> int:
        """Return how many users there are."""
        with self._database.read() as connection:
            return int(connection.execute(select(func.count()).select_from(user)).scalar_one())

    def delete(self, username: str, *, now: datetime, actor: str) -> None:
        """Delete a user.

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
        """Give a user a new password; sessions that began with the old one end.

        Raises:
            UserNotFound: there is no such user.
        """
        self._update(username, {"password_hash": _hash(password)}, "user.password", now, actor)

    def set_role(self, username: str, role: str, *, now: datetime, actor: str) -> None:
        """Give a user another role.

        Raises:
            UserNotFound: there is no such user.
        """
        self._update(username, {"role": role}, "user.role", now, actor)

    def _update(
        self, username: str, values: dict[str, Any], kind: str, now: datetime, actor: str
    ) -> None:
        with self._database.write() as connection:
            changed = connection.execute(
                update(user).where(user.c.username == username).values(values)
            )
            if changed.rowcount == 0:
                raise UserNotFound(username)
            write_events(connection, [Event(kind, actor, detail={"username": username})], now)


def _hash(password: str) -> str:
    from werkzeug.security import generate_password_hash

    return generate_password_hash(password, method="scrypt")


#: A hash that no password has: what an unknown name is compared with.
_NOBODY = "scrypt:32768:8:1$nobody$" + "0" * 128


def _user_row(row: Any) -> UserRow:
    return UserRow(
        username=row.username,
        role=row.role,
        email=row.email,
        first_name=row.first_name,
        last_name=row.last_name,
        is_active=row.is_active,
        created_at=row.created_at,
        password_fingerprint=hashlib.sha256(row.password_hash.encode()).hexdigest()[:16],
    )
