"""Step: tell the operator when the database is older than the one that was here before.

A backup that was restored, or a server that took over without the last commits, forgets what
ran meanwhile: the schedule goes on by its catchup rule, and some of it may run again. Nothing is
wrong with such a database, so that nobody would notice. Source: ``reliability.md`` E15.
"""

from __future__ import annotations

import json
import logging
from datetime import datetime
from pathlib import Path

from ..database.values import EventRow
from ..sdk.clock import Clock, next_round_s
from .step import Store, Tick

log = logging.getLogger(__name__)

INTERVAL_S = 60.0


class RememberHistory:
    """Keeps the newest entry of the event log in the home folder, and compares at the start."""

    name = "remember history"

    def __init__(self, store: Store, clock: Clock, path: Path) -> None:
        """Prepare. *path*: the file in which the entry is kept."""
        self._store = store
        self._clock = clock
        self._path = path
        self._next_s = float("-inf")
        self._known: tuple[int, str] | None = None

    def run(self, tick: Tick) -> None:
        """Look once a minute; the cost is one row by its number."""
        now_s = self._clock.monotonic()
        if now_s < self._next_s:
            return
        self._next_s = next_round_s(now_s, INTERVAL_S)
        known = self._known or self._load()
        newest = self._newest()
        if known is not None and not self._has(known):
            upto = newest.at if newest is not None else None
            log.warning("%s", forgotten_line(datetime.fromisoformat(known[1]), upto))
        found = None if newest is None else (newest.id, newest.at.isoformat())
        if found is not None and found != self._known:
            self._keep(found)

    def _newest(self) -> EventRow | None:
        rows = self._store.events.list(limit=1, with_state_changes=True)
        return rows[0] if rows else None

    def _has(self, known: tuple[int, str]) -> bool:
        rows = self._store.events.since(known[0] - 1, limit=1)
        if not rows:
            return False
        # A higher number: it was removed as old, while this scheduler was away.
        return rows[0].id > known[0] or (rows[0].id, rows[0].at.isoformat()) == known

    def _load(self) -> tuple[int, str] | None:
        try:
            id_, at = json.loads(self._path.read_text())
            datetime.fromisoformat(at)
            return int(id_), str(at)
        except (OSError, ValueError, TypeError):
            return None  # a new home, or a file that somebody wrote

    def _keep(self, known: tuple[int, str]) -> None:
        self._known = known
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            draft = self._path.with_suffix(".draft")
            draft.write_text(json.dumps(known))
            draft.replace(self._path)
        except OSError:
            log.warning("%s cannot be written", self._path)


def forgotten_line(known_at: datetime, newest_at: datetime | None) -> str:
    """Return what the operator is told.

    Args:
        known_at: when the newest entry was made that this home knew.
        newest_at: when the newest entry was made that the database has; None: it has none.
    """
    since = "it has no history" if newest_at is None else f"its history ends at {newest_at:%F %T}"
    return (
        f"This database is older than the one that was here until {known_at:%F %T} UTC: {since}."
        " What ran since then is not known to it, and may run again."
    )
