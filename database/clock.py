"""The time of day as the database has it: what all machines agree on.

Leases, deadlines and the order of events are compared across machines, and machines' clocks
differ. A process of a cluster therefore corrects its own clock by what it differs from the
database's (``spec/reliability.md``, R12, B8).
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import text

from ..sdk.clock import Clock, WallClock
from .engine import Database

if TYPE_CHECKING:
    from .store import Store

log = logging.getLogger(__name__)

#: A difference up to this is what the network and a busy machine make.
NOISE_S = 0.5
#: A difference above this is worth a word: logs of other programs will not fit to ours.
SKEW_MAX_S = 5.0
#: So often the difference is measured again, in seconds.
MEASURED_EVERY_S = 60.0


def measure_skew_s(database: Database, clock: Clock) -> float:
    """Return by how many seconds the database's clock is ahead of *clock*.

    SQLite has no clock but this machine's: 0.
    """
    if database.is_sqlite:
        return 0.0
    best: tuple[float, float] | None = None
    for _ in range(3):  # the quickest answer is the one that says most
        asked_s, asked_at = clock.monotonic(), clock.now()
        with database.read() as connection:
            there: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
        took_s = clock.monotonic() - asked_s
        skew_s = (there.astimezone(UTC) - asked_at).total_seconds() - took_s / 2
        if best is None or took_s < best[0]:
            best = took_s, skew_s
    return best[1] if best is not None and abs(best[1]) > NOISE_S else 0.0


class DatabaseClock(Clock):
    """This machine's clock, corrected by what it differs from the database's."""

    def __init__(self, database: Database, own: Clock) -> None:
        self._database = database
        self._own = own
        self._skew = timedelta(0)
        self._due_s = 0.0

    def now(self) -> datetime:
        if self._own.monotonic() >= self._due_s:
            self._measure()
        return self._own.now() + self._skew

    def monotonic(self) -> float:
        return self._own.monotonic()

    def _measure(self) -> None:
        self._due_s = self._own.monotonic() + MEASURED_EVERY_S
        try:
            skew_s = measure_skew_s(self._database, self._own)
        except Exception as error:  # noqa: BLE001 - away: the last answer holds
            log.warning("the database's clock cannot be read", extra={"error": str(error)})
            return
        if abs(skew_s) > SKEW_MAX_S and abs(skew_s - self._skew.total_seconds()) > SKEW_MAX_S:
            log.warning(
                "the clock of this machine differs from the database's by %.0f s; leases and"
                " dates follow the database's. Set it right (NTP): dates that tasks read themselves"
                " are this machine's",
                -skew_s,
            )
        self._skew = timedelta(seconds=skew_s)


def database_clock(store: Store) -> Clock:
    """Return the clock for whoever shares this store's database with other machines."""
    return WallClock() if store.database.is_sqlite else DatabaseClock(store.database, WallClock())
