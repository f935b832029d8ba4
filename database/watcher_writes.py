"""Writes which triggers a DAG has watch its assets: with each save of its file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from ..sdk.serialized import SerializedWatcher
from .encryption import Cipher
from .errors import DatabaseError
from .tables import asset_watcher, asset_watcher_use
from .trigger_encryption import decrypted, encrypted


def declare_watchers(
    connection: Connection,
    dag_id: str,
    watchers: Sequence[SerializedWatcher],
    cipher: Cipher,
    now: datetime,
) -> bool:
    """Keep the watchers of one DAG; what nobody declares any more goes.

    Equal triggers are one, as in Airflow: each of its events is one of all assets it watches.

    Returns:
        Whether a trigger is to be begun that was not known before.
    """
    has_new = False
    uses = []
    for one in watchers:
        watcher_id = _find(connection, one, cipher)
        if watcher_id is None:
            has_new = True
            watcher_id = connection.execute(
                insert(asset_watcher).returning(asset_watcher.c.id),
                {
                    "class_path": one.class_path,
                    "kwargs": encrypted(one.kwargs, cipher),
                    "created_at": now,
                },
            ).scalar_one()
        uses.append(
            {
                "watcher_id": watcher_id,
                "dag_id": dag_id,
                "asset_name": one.asset_name,
                "asset_uri": one.asset_uri,
                "name": one.name,
            }
        )
    had = connection.execute(delete(asset_watcher_use).where(asset_watcher_use.c.dag_id == dag_id))
    if uses:
        connection.execute(insert(asset_watcher_use), uses)
    if had.rowcount:
        used = select(asset_watcher_use.c.watcher_id)
        connection.execute(delete(asset_watcher).where(asset_watcher.c.id.not_in(used)))
    return has_new


def _find(connection: Connection, one: SerializedWatcher, cipher: Cipher) -> int | None:
    """Return the row of an equal trigger. Those whose key is lost are equal to none."""
    statement = select(asset_watcher.c.id, asset_watcher.c.kwargs).where(
        asset_watcher.c.class_path == one.class_path
    )
    for row in connection.execute(statement):
        try:
            if decrypted(row.kwargs, cipher) == one.kwargs:
                return int(row.id)
        except DatabaseError:
            continue
    return None
