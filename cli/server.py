"""Is a server running? What a command does itself depends on it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..control.services import Services

#: Services beat every few seconds; silent for longer, one counts as gone.
SILENT_MAX_S = 15.0


def alive_processes(
    services: Services, *, kind: str | None = None, host: str | None = None
) -> list[Any]:
    """Return the services of this home that beat lately, newest beat first."""
    from ..database.values import ProcessRow
    from ..sdk.executor_names import TRIGGERER

    now = services.now()
    runners = [  # they hold a lease, which says the same
        ProcessRow(row.id, "runner", row.host, row.pid, row.started_at, row.renewed_at)
        for row in services.store.workers.list()
        if row.executor != TRIGGERER
    ]
    rows = [
        row
        for row in (*services.store.processes.list(), *runners)
        if not is_silent(row.beat_at, now)
        and (kind is None or row.kind == kind)
        and (host is None or row.host == host)
    ]
    return sorted(rows, key=lambda row: row.beat_at, reverse=True)


def is_silent(beat_at: datetime, now: datetime) -> bool:
    """Tell whether a service that beat last at *beat_at* counts as gone."""
    return (now - beat_at).total_seconds() > SILENT_MAX_S


def has_server() -> bool:
    """Tell whether a scheduler of this home is at work: it holds the kernel's lock on a file."""
    from ..database.bell import bell_folder
    from ..scheduler.standby import FileLock
    from ..sdk.configuration import home

    lock = FileLock(bell_folder(home()) / "scheduler.lock")
    is_free = lock.acquire()
    lock.release()
    return not is_free
