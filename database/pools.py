"""Pools, and what their slots are taken by: counted from rows, never kept."""

from __future__ import annotations

import builtins
from collections import Counter
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, text, update

from ..sdk.default_pool import DEFAULT_POOL
from .errors import NotAllowed, PoolNotFound
from .event_writes import Event, write_events
from .operations import Operations
from .tables import pool, task_instance
from .tables.runs import OCCUPYING, SCHEDULED
from .values import PoolRow


class PoolOperations(Operations):
    """``store.pools``: limits over all DAGs."""

    def get(self, name: str) -> PoolRow:
        """Return one pool.

        Raises:
            PoolNotFound: there is none.
        """
        found = next((one for one in self.list() if one.name == name), None)
        if found is None:
            raise PoolNotFound(name)
        return found

    def list(self) -> builtins.list[PoolRow]:
        """Return all pools by name."""
        with self._database.read() as connection:
            rows = connection.execute(select(pool).order_by(pool.c.name)).all()
            taken = _taken(connection)
        return [
            PoolRow(
                name=row.name,
                slots=row.slots,
                description=row.description,
                include_deferred=row.include_deferred,
                running=taken[row.name, "running"] + taken[row.name, "restarting"],
                queued=taken[row.name, "queued"],
                scheduled=taken[row.name, "scheduled"],
                deferred=taken[row.name, "deferred"],
            )
            for row in rows
        ]

    def set(
        self,
        name: str,
        slots: int,
        description: str = "",
        *,
        include_deferred: bool = False,
        now: datetime,
        actor: str,
    ) -> bool:
        """Create or change a pool; ``slots`` -1: unlimited. True: it is new.

        Raises:
            NotAllowed: the number of slots, or the name, makes no sense.
        """
        if slots < -1:
            raise NotAllowed(f"A pool has 0 or more slots, or -1 for unlimited; not {slots}.")
        if not name or len(name) > 250:
            raise NotAllowed("A pool's name has 1 to 250 characters.")
        values = {
            "slots": slots,
            "description": description,
            "include_deferred": include_deferred,
        }
        with self._database.write() as connection:
            known = connection.execute(update(pool).where(pool.c.name == name).values(values))
            is_new = known.rowcount == 0
            if is_new:
                connection.execute(insert(pool).values(name=name, **values))
            event = Event("pool.set", actor, detail={"name": name, "slots": slots})
            write_events(connection, [event], now)
        self._ring("scheduler")
        return is_new

    def delete(self, name: str, *, now: datetime, actor: str) -> None:
        """Delete a pool; task instances that name it wait until there is one again.

        Raises:
            PoolNotFound: there is none.
            NotAllowed: it is the default pool.
        """
        if name == DEFAULT_POOL:
            raise NotAllowed(f"{DEFAULT_POOL} cannot be deleted")
        with self._database.write() as connection:
            if connection.execute(delete(pool).where(pool.c.name == name)).rowcount == 0:
                raise PoolNotFound(name)
            write_events(connection, [Event("pool.deleted", actor, detail={"name": name})], now)


def _taken(connection: Connection) -> Counter[tuple[str, str]]:
    """Return (pool, state) → slots."""
    taken: Counter[tuple[str, str]] = Counter()
    for condition in (OCCUPYING, SCHEDULED):
        rows = connection.execute(
            select(
                task_instance.c.pool,
                task_instance.c.state,
                func.sum(task_instance.c.pool_slots),
            )
            .where(text(f"task_instance.{condition}"))
            .group_by(task_instance.c.pool, task_instance.c.state)
        )
        for name, state, slots in rows:
            taken[name, state] += int(slots)
    return taken
