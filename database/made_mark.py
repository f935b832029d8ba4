"""A note beside a SQLite file: a database was made here once.

Without it a command could not tell a new home from one whose database was deleted: it would make
an empty one in its place, and all would look well. Source: ``reliability.md``, E12.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from .errors import DatabaseError

_TEXT = (
    "Tradewind made the database that belongs beside this file. While this file is here, only\n"
    "`tradewind db migrate` makes another one.\n"
)


def mark_path(database_path: Path) -> Path:
    """Return where the note about a database lies; who removes its files by a glob removes it."""
    return database_path.with_name(f"{database_path.name}-made")


def note_made(database_path: Path) -> None:
    """Say that the tables are there. To be called after they were committed, not before."""
    path = mark_path(database_path)
    if not path.exists():
        with contextlib.suppress(OSError):  # a full disk: then it is said the next time
            path.write_text(_TEXT)


def forget_made(database_path: Path) -> None:
    """Say that the tables were removed on purpose."""
    mark_path(database_path).unlink(missing_ok=True)


def is_made(database_path: Path) -> bool:
    """Tell whether a database was made here once."""
    return mark_path(database_path).exists()


def lost(database_path: Path) -> DatabaseError:
    """Return what to say where a database was made, and is not there any more."""
    what = "is empty" if database_path.exists() else "is gone"
    return DatabaseError(
        f"The database {database_path} {what}, though one was made there before. Put it back; or"
        " begin with an empty one: `tradewind db migrate`."
    )
