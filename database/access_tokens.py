"""Personal access tokens, and tokens that were given back before their time.

Only hashes are kept. A token is 256 random bits: a plain SHA-256 cannot be searched.
"""

from __future__ import annotations

import builtins
import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select, update

from .errors import NotFound
from .event_writes import Event, write_events
from .locking import Locking
from .operations import Operations
from .tables import access_token, revoked_token, user

#: Personal tokens begin so: they are told from others at a glance, also by scanners of secrets.
PREFIX = "twp_"
USED_EVERY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class AccessTokenRow:
    """A personal token, without what it is known by."""

    id: int
    username: str
    name: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None


class AccessTokenOperations(Operations):
    """``store.access_tokens``."""

    def create(
        self, user_id: int, name: str, *, expires_at: datetime, now: datetime, actor: str
    ) -> tuple[int, str]:
        """Make a token; return its number and its text, which is never shown again."""
        text = PREFIX + secrets.token_urlsafe(32)
        with self._database.write() as connection:
            connection.execute(delete(access_token).where(access_token.c.expires_at < now))
            number = connection.execute(
                insert(access_token)
                .values(
                    user_id=user_id,
                    name=name,
                    token_hash=hashed(text),
                    created_at=now,
                    expires_at=expires_at,
                )
                .returning(access_token.c.id)
            ).scalar_one()
            detail = {"name": name, "expires_at": expires_at.isoformat()}
            write_events(connection, [Event("token.created", actor, detail=detail)], now)
        return int(number), text

    def find_user(self, text: str, *, now: datetime) -> int | None:
        """Return whose token this is; None: nobody's, or not any more."""
        known = access_token.c.token_hash == hashed(text)
        with self._database.read() as connection:
            row = connection.execute(select(access_token).where(known)).one_or_none()
        if row is None or row.expires_at <= now:
            return None
        if row.last_used_at is None or row.last_used_at < now - USED_EVERY:
            with self._database.write(Locking.NONE) as connection:
                connection.execute(update(access_token).where(known).values(last_used_at=now))
        return int(row.user_id)

    def list(self, user_id: int | None = None) -> builtins.list[AccessTokenRow]:
        """Return the tokens of one user, or of all, newest first."""
        statement = select(access_token, user.c.username).join(
            user, user.c.id == access_token.c.user_id
        )
        if user_id is not None:
            statement = statement.where(access_token.c.user_id == user_id)
        with self._database.read() as connection:
            rows = connection.execute(statement.order_by(access_token.c.id.desc())).all()
        return [
            AccessTokenRow(
                row.id, row.username, row.name, row.created_at, row.expires_at, row.last_used_at
            )
            for row in rows
        ]

    def revoke(
        self, token_id: int, *, user_id: int | None = None, now: datetime, actor: str
    ) -> None:
        """End a token. ``user_id``: only if it is this user's.

        Raises:
            NotFound: there is none, or it is somebody else's.
        """
        statement = delete(access_token).where(access_token.c.id == token_id)
        if user_id is not None:
            statement = statement.where(access_token.c.user_id == user_id)
        with self._database.write() as connection:
            name = connection.execute(statement.returning(access_token.c.name)).scalar()
            if name is None:
                raise NotFound(f"There is no access token {token_id}.")
            event = Event("token.revoked", actor, detail={"name": name})
            write_events(connection, [event], now)

    def give_back(self, jti: str, *, expires_at: datetime, now: datetime, actor: str) -> None:
        """Let a signed token count no longer, though its time is not over."""
        with self._database.write() as connection:
            connection.execute(delete(revoked_token).where(revoked_token.c.expires_at < now))
            known = select(revoked_token.c.jti).where(revoked_token.c.jti == jti)
            if connection.execute(known).first() is None:
                connection.execute(insert(revoked_token).values(jti=jti, expires_at=expires_at))
                write_events(connection, [Event("token.given_back", actor)], now)

    def is_given_back(self, jti: str) -> bool:
        """Tell whether a signed token was given back."""
        statement = select(revoked_token.c.jti).where(revoked_token.c.jti == jti)
        with self._database.read() as connection:
            return connection.execute(statement).first() is not None


def hashed(text: str) -> str:
    """Return what is kept of a token."""
    return hashlib.sha256(text.encode(errors="backslashreplace")).hexdigest()
