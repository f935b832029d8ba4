"""Follows the event log as it grows, and misses nothing.

On PostgreSQL a lower number may become visible after a higher one: who took it commits later. So
what came lately is asked for again, and only what is new is handed out. SQLite has one writer,
where numbers appear in order.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .rows import EventRow
    from .store import Store


class LogReplaced(Exception):
    """The log has fewer entries than were seen: an older state of the database was put back."""


#: Longer than a transaction takes from its first entry to its commit.
OVERLAP_S: Final = 2.0


class EventFollower:
    """Not for several threads at once."""

    def __init__(
        self, store: Store, after_id: int, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Args: after_id: the last entry that needs no telling."""
        self._store = store
        self._monotonic = monotonic
        self._overlap_s = 0.0 if store.database.is_sqlite else OVERLAP_S
        #: All up to here were handed out, or are too old to appear.
        self._floor = after_id
        self._handed: dict[int, float] = {}

    def take(self, limit: int = 500) -> list[EventRow]:
        """Return entries that were not returned before, oldest first.

        Raises:
            LogReplaced: a backup was restored, or a server took over that had not heard of the
                last commits. Entries that come from now on are returned.
        """
        rows = self._store.events.since(self._floor, limit=limit + len(self._handed))
        if not rows and self._floor > (last_id := self._store.events.last_id()):
            self._floor, self._handed = last_id, {}
            raise LogReplaced
        found = [row for row in rows if row.id not in self._handed]
        now_s = self._monotonic()
        self._handed.update((row.id, now_s) for row in found)
        settled = [id_ for id_, at_s in self._handed.items() if at_s <= now_s - self._overlap_s]
        self._floor = max([self._floor, *settled])
        self._handed = {id_: at_s for id_, at_s in self._handed.items() if id_ > self._floor}
        return found
