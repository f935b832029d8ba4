"""What a write transaction keeps others from doing meanwhile, where writers may run side by side.

SQLite has one writer at a time, whatever is asked for. On PostgreSQL a transaction locks ALL
unless its operation says otherwise: correct without a thought, as on SQLite. What is done for
every task instance says otherwise, and locks rows instead (``row_locks.py``).
"""

from __future__ import annotations

from enum import Enum


class Locking(Enum):
    """What a write transaction locks, from most to least."""

    #: No other transaction that plans or decides anything runs at the same time.
    ALL = "all"
    #: It runs beside others of its kind, and locks rows in this order: of ``dag``, of ``pool``,
    #: of ``task_instance``; so no two of them can wait for each other.
    ROWS = "rows"
    #: It runs beside everybody: it changes rows of one table that no decision depends on.
    NONE = "none"
