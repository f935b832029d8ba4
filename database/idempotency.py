"""Answers to writes that named an ``Idempotency-Key``: the same request again is not done again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select, update

from .operations import Operations
from .tables import idempotency

#: Answers are kept for so long.
KEPT = timedelta(hours=24)
#: A request without an answer after this time died on the way: it may be tried again.
ANSWERED_WITHIN = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What was answered. ``status`` None: it is being worked on. ``is_other``: another request."""

    is_other: bool
    status: int | None
    headers: Mapping[str, str]
    body: bytes


class IdempotencyOperations(Operations):
    """``store.idempotency``."""

    def begin(self, key_hash: str, request_hash: str, *, now: datetime) -> KeptAnswer | None:
        """Take a key for a request. None: it is ours, do the work; else what is known of it."""
        mine = idempotency.c.id == key_hash
        with self._database.write() as connection:
            connection.execute(delete(idempotency).where(idempotency.c.created_at < now - KEPT))
            row = connection.execute(select(idempotency).where(mine)).one_or_none()
            is_dead = (
                row is not None and row.status is None and row.created_at < now - ANSWERED_WITHIN
            )
            if is_dead:
                connection.execute(delete(idempotency).where(mine))
            if row is None or is_dead:
                connection.execute(
                    insert(idempotency).values(
                        id=key_hash, request_hash=request_hash, created_at=now
                    )
                )
                return None
        return KeptAnswer(
            is_other=row.request_hash != request_hash,
            status=row.status,
            headers=row.headers or {},
            body=row.body or b"",
        )

    def keep(self, key_hash: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Keep the answer to a request."""
        with self._database.write() as connection:
            connection.execute(
                update(idempotency)
                .where(idempotency.c.id == key_hash)
                .values(status=status, headers=dict(headers), body=body)
            )

    def release(self, key_hash: str) -> None:
        """Give a key back: the request came to nothing, and may be tried again."""
        with self._database.write() as connection:
            connection.execute(delete(idempotency).where(idempotency.c.id == key_hash))
