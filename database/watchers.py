"""Triggers that watch assets: who runs them, their events, and when they begin again.

One that a DAG in force declares is run by one triggerer at a time, for as long as this is so.
Each event is written once: the triggerer numbers them, and a number that was written already,
or that comes from a triggerer which lost the watcher, is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Integer, and_, bindparam, exists, func, or_, select, text, update

from .asset_writes import NewAssetEvent, write_asset_events
from .encryption import Cipher
from .errors import DatabaseError
from .event_writes import Event, write_events
from .operations import Operations
from .tables import asset, asset_watcher, asset_watcher_use, dag, worker
from .trigger_encryption import decrypted
from .values import ClaimedWatcher, WatcherEnd, WatcherEvent

#: A trigger that ended by itself begins again after this long.
PAUSE_S = 1.0
#: One that failed, after this long; twice as long with each failure without an event between.
FAILURE_PAUSE_S = 5.0
FAILURE_PAUSE_MAX_S = 600.0
#: So much of an error goes to the event log: its end says what went wrong.
_ERROR_LENGTH_MAX = 2000

_IN_FORCE = exists(
    select(asset_watcher_use.c.watcher_id)
    .join(dag, dag.c.dag_id == asset_watcher_use.c.dag_id)
    .where(asset_watcher_use.c.watcher_id == asset_watcher.c.id, dag.c.is_active.is_(True))
    .correlate(asset_watcher)
)
_FREE = or_(
    asset_watcher.c.worker_id.is_(None),
    asset_watcher.c.worker_id.not_in(select(worker.c.id).where(text("worker.state = 'alive'"))),
)
_WANTED = (
    select(asset_watcher)
    .where(
        _FREE,
        _IN_FORCE,
        or_(
            asset_watcher.c.due_at.is_(None),
            asset_watcher.c.due_at <= bindparam("now", type_=asset_watcher.c.due_at.type),
        ),
    )
    .order_by(asset_watcher.c.id)
    .limit(bindparam("most", type_=Integer))
)
_ANY_IN_FORCE = select(asset_watcher.c.id).where(_IN_FORCE).limit(1)
_USES = (
    select(asset_watcher_use)
    .join(dag, dag.c.dag_id == asset_watcher_use.c.dag_id)
    .where(dag.c.is_active.is_(True))
    .order_by(asset_watcher_use.c.dag_id, asset_watcher_use.c.asset_name)
)


@dataclass(frozen=True, slots=True)
class WatcherRow:
    """One watcher of an asset, as pages show it. ``error``: why its trigger failed last."""

    id: int
    name: str
    created_at: datetime
    error: str | None


class WatcherOperations(Operations):
    """``store.watchers``: for triggerers, and for who shows them."""

    def claim(self, worker_id: str, limit: int, now: datetime) -> list[ClaimedWatcher]:
        """Give a triggerer up to *limit* watchers that no living one has and that are due."""
        if not self.is_any_in_force():
            return []
        with self._database.read() as connection:
            rows = connection.execute(_WANTED, {"now": now, "most": max(limit, 0)}).all()
        if not rows:
            return []
        claimed: list[ClaimedWatcher] = []
        with self._database.write() as connection:
            for row in rows:
                taken = connection.execute(
                    update(asset_watcher)
                    .where(
                        asset_watcher.c.id == row.id,
                        asset_watcher.c.worker_id.is_not_distinct_from(row.worker_id),
                    )
                    .values(worker_id=worker_id, event_count=0)
                )
                if taken.rowcount:
                    uses = _uses(connection, row.id)
                    claimed.append(_claimed(row, uses, self._ground.cipher))
        return claimed

    def held(self, worker_id: str) -> set[int]:
        """Return the watchers that a triggerer still has to run."""
        statement = select(asset_watcher.c.id).where(
            asset_watcher.c.worker_id == worker_id, _IN_FORCE
        )
        with self._database.read() as connection:
            return set(connection.execute(statement).scalars())

    def is_any_in_force(self) -> bool:
        """Return whether a DAG in force declares a watcher."""
        return self._remembered.is_any(_ANY_IN_FORCE)

    def release(self, worker_id: str, keep: Iterable[int] = ()) -> None:
        """Let triggerers have anew what one of them does not run (any more), but for *keep*."""
        with self._database.write() as connection:
            connection.execute(
                update(asset_watcher)
                .where(
                    asset_watcher.c.worker_id == worker_id, asset_watcher.c.id.not_in(list(keep))
                )
                .values(worker_id=None)
            )

    def report(
        self,
        worker_id: str,
        events: Sequence[WatcherEvent],
        ends: Sequence[WatcherEnd],
        now: datetime,
    ) -> int:
        """Write what watchers of a triggerer said, then which of them ended.

        Returns:
            How many of the events were written: the rest was known, or is none of its own.
        """
        count = 0
        with self._database.write() as connection:
            for event in events:
                count += self._deliver(connection, worker_id, event, now)
            for end in ends:
                _end(connection, worker_id, end, now)
        if count:
            self._ring("scheduler", "web")
        return count

    def of_assets(self, asset_ids: Iterable[int]) -> dict[int, list[WatcherRow]]:
        """Return the watchers in force of assets, by the asset's number."""
        shown = (asset.c.id, asset_watcher.c.id, asset_watcher.c.created_at, asset_watcher.c.error)
        statement = (
            select(
                asset.c.id.label("asset_id"),
                *shown[1:],
                func.min(asset_watcher_use.c.name).label("name"),
            )
            .join(asset_watcher_use, asset_watcher_use.c.watcher_id == asset_watcher.c.id)
            .join(dag, dag.c.dag_id == asset_watcher_use.c.dag_id)
            .join(
                asset,
                and_(
                    asset.c.name == asset_watcher_use.c.asset_name,
                    asset.c.uri == asset_watcher_use.c.asset_uri,
                ),
            )
            .where(asset.c.id.in_(list(asset_ids)), dag.c.is_active.is_(True))
            .group_by(*shown)
            .order_by(asset_watcher.c.id)
        )
        found: dict[int, list[WatcherRow]] = {}
        with self._database.read() as connection:
            for row in connection.execute(statement):
                one = WatcherRow(row.id, row.name, row.created_at, row.error)
                found.setdefault(row.asset_id, []).append(one)
        return found

    def _deliver(
        self, connection: Connection, worker_id: str, event: WatcherEvent, now: datetime
    ) -> int:
        is_new = connection.execute(
            update(asset_watcher)
            .where(
                asset_watcher.c.id == event.watcher_id,
                asset_watcher.c.worker_id == worker_id,
                asset_watcher.c.event_count < event.number,
            )
            .values(event_count=event.number, failure_count=0, error=None)
        )
        if not is_new.rowcount:
            return 0
        extra = {"from_trigger": True, "payload": json.loads(event.payload)}
        watched = {
            (row.asset_name, row.asset_uri): row for row in _uses(connection, event.watcher_id)
        }
        for (name, uri), row in watched.items():
            numbers = write_asset_events(connection, [NewAssetEvent(name, uri, extra=extra)], now)
            detail = {
                "name": name,
                "uri": uri,
                "event_id": numbers[0],
                "watcher": row.name,
            }
            write_events(connection, [Event("asset.event", "triggerer", detail=detail)], now)
        return len(watched)


def _end(connection: Connection, worker_id: str, end: WatcherEnd, now: datetime) -> None:
    is_own = (asset_watcher.c.id == end.watcher_id) & (asset_watcher.c.worker_id == worker_id)
    count = connection.execute(select(asset_watcher.c.failure_count).where(is_own)).scalar()
    if count is None:
        return  # nobody declares it any more, or another triggerer has it
    pause_s = PAUSE_S
    if end.error:
        pause_s = min(FAILURE_PAUSE_S * 2.0 ** min(count, 20), FAILURE_PAUSE_MAX_S)
    due_at = now + timedelta(seconds=pause_s)
    values = {
        "worker_id": None,
        "due_at": due_at,
        "failure_count": count + 1 if end.error else 0,
        "error": end.error or None,
    }
    ended = connection.execute(update(asset_watcher).where(is_own).values(values))
    if not (end.error and ended.rowcount):
        return
    failed = [
        Event(
            "asset_watcher.failed",
            "triggerer",
            row.dag_id,
            detail={
                "watcher": row.name,
                "name": row.asset_name,
                "uri": row.asset_uri,
                "error": end.error[-_ERROR_LENGTH_MAX:],
                "again_at": due_at.isoformat(),
            },
        )
        for row in _uses(connection, end.watcher_id)
    ]
    write_events(connection, failed, now)


def _uses(connection: Connection, watcher_id: int) -> Sequence[Any]:
    return connection.execute(_USES.where(asset_watcher_use.c.watcher_id == watcher_id)).all()


def _claimed(row: Any, uses: Sequence[Any], cipher: Cipher) -> ClaimedWatcher:
    problem, kwargs = "", "{}"
    try:
        kwargs = decrypted(row.kwargs, cipher)
    except DatabaseError as error:  # the key was changed: this one fails, others do not
        problem = str(error)
    name = ", ".join(dict.fromkeys(one.name for one in uses))
    return ClaimedWatcher(row.id, name, row.class_path, kwargs, problem)
