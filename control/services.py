"""What every verb needs: the store, the clock, and who is asking.

A verb is a function ``verb(services, ...)`` in a module of its name. It looks up, asks
``planning`` where a rule is needed, and calls one store operation; it holds no rule itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..database.store import Store
    from ..sdk.clock import Clock


@dataclass(frozen=True, slots=True)
class Services:
    """Handed to each verb. ``actor`` is recorded with each act: "user:NAME"."""

    store: Store
    clock: Clock
    actor: str = "user:unknown"

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        return self.clock.now()

    @property
    def user_name(self) -> str:
        """The name of the person who asks."""
        return self.actor.removeprefix("user:")


def open_services(actor: str) -> Services:
    """Open the store that the settings name, on the wall clock. A missing SQLite file is made.

    Raises:
        DatabaseError: the database is not usable; the text says what to do.
    """
    from ..database.migrate import create_missing_database
    from ..database.store import open_store
    from ..sdk.clock import WallClock

    create_missing_database()
    clock = WallClock()
    return Services(open_store(clock=clock), clock, actor)
