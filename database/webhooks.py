"""Webhooks: addresses that start runs of one DAG, or events of one asset."""

from __future__ import annotations

import builtins
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update

from .access_tokens import hashed
from .errors import AlreadyExists, NotFound
from .event_writes import Event, write_events
from .operations import Operations
from .tables import webhook

#: Tokens of webhooks begin so.
PREFIX = "twh_"


@dataclass(frozen=True, slots=True)
class WebhookRow:
    """A webhook, without its token. Either ``dag_id`` is set or the asset."""

    id: int
    name: str
    dag_id: str | None
    asset_name: str | None
    asset_uri: str | None
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    use_count: int


class WebhookOperations(Operations):
    """``store.webhooks``."""

    def create(
        self,
        name: str,
        *,
        dag_id: str | None = None,
        asset: tuple[str, str] | None = None,
        created_by: str,
        expires_at: datetime | None,
        now: datetime,
        actor: str,
    ) -> str:
        """Make a webhook and return its token, which is never shown again.

        Args:
            asset: name and URI.

        Raises:
            AlreadyExists: the name is taken.
        """
        text = PREFIX + secrets.token_urlsafe(32)
        asset_name, asset_uri = asset or (None, None)
        with self._database.write() as connection:
            if connection.execute(select(webhook.c.id).where(webhook.c.name == name)).first():
                raise AlreadyExists(f"There is a webhook {name!r} already.")
            connection.execute(
                insert(webhook).values(
                    name=name,
                    token_hash=hashed(text),
                    dag_id=dag_id,
                    asset_name=asset_name,
                    asset_uri=asset_uri,
                    created_by=created_by,
                    created_at=now,
                    expires_at=expires_at,
                )
            )
            detail = {"name": name, "asset": asset_name}
            event = Event("webhook.created", actor, dag_id, detail=detail)
            write_events(connection, [event], now)
        return text

    def find(self, name: str, token: str, *, now: datetime) -> WebhookRow | None:
        """Return the webhook of this name whose token this is; the use is counted.

        None: there is none, the token is another one's, or its time is over.
        """
        with self._database.read() as connection:
            row = connection.execute(select(webhook).where(webhook.c.name == name)).one_or_none()
        # An unknown name takes as long as a wrong token.
        known = row.token_hash if row is not None else hashed("")
        is_right = hmac.compare_digest(known, hashed(token)) and row is not None
        if row is None or not is_right or (row.expires_at is not None and row.expires_at <= now):
            return None
        with self._database.write() as connection:
            connection.execute(
                update(webhook)
                .where(webhook.c.id == row.id)
                .values(last_used_at=now, use_count=webhook.c.use_count + 1)
            )
        return _row(row)

    def list(self) -> builtins.list[WebhookRow]:
        """Return all webhooks by name."""
        with self._database.read() as connection:
            rows = connection.execute(select(webhook).order_by(webhook.c.name)).all()
        return [_row(row) for row in rows]

    def get(self, name: str) -> WebhookRow:
        """Return one webhook.

        Raises:
            NotFound: there is none.
        """
        with self._database.read() as connection:
            row = connection.execute(select(webhook).where(webhook.c.name == name)).one_or_none()
        if row is None:
            raise NotFound(f"There is no webhook {name!r}.")
        return _row(row)

    def revoke(self, name: str, *, now: datetime, actor: str) -> None:
        """Remove a webhook.

        Raises:
            NotFound: there is none.
        """
        with self._database.write() as connection:
            gone = connection.execute(
                delete(webhook).where(webhook.c.name == name).returning(webhook.c.dag_id)
            ).one_or_none()
            if gone is None:
                raise NotFound(f"There is no webhook {name!r}.")
            event = Event("webhook.revoked", actor, gone.dag_id, detail={"name": name})
            write_events(connection, [event], now)


def _row(row: Any) -> WebhookRow:
    fields = dict(row._mapping)
    del fields["token_hash"]
    return WebhookRow(**fields)
