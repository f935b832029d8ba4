"""Where the log of one try is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .log_sources import StoredLog, WorkerLog

if TYPE_CHECKING:
    from ..database.store import Store
    from ..database.values import AttemptRow

#: What ``find_log`` gives: each has ``open("rb")``, ``name``, and says where it is as text.
LogSource = Path | WorkerLog | StoredLog


def find_log(store: Store, attempts: Sequence[AttemptRow], try_number: int) -> LogSource | None:
    """Return the log of the newest attempt of this try, None where there is none (yet).

    A shipped log comes first once the try has ended, then the file on this machine, then the
    worker that wrote it. Source: ``docs/configuration.md``, "Logs on disk".
    """
    for attempt in sorted(attempts, key=lambda row: row.epoch, reverse=True):
        if attempt.try_number == try_number and attempt.log_path:
            return _find(store, attempt, attempt.log_path)
    return None


def _find(store: Store, attempt: AttemptRow, log_path: str) -> LogSource | None:
    from ..sdk.configuration import conf
    from ..sdk.log_store import is_remote

    if attempt.ended_at is not None and is_remote():
        stored = _find_stored(log_path)
        if stored is not None:
            return stored
    path = Path(conf.get("logging", "base_log_folder")) / log_path  # an absolute one stays
    if path.is_file():
        return path
    worker = store.workers.find(attempt.worker_id) if attempt.worker_id else None
    if worker is not None and worker.log_url and not log_path.startswith("/"):
        return WorkerLog(worker.log_url, log_path, store.clock.now)
    return None


def _find_stored(log_path: str) -> StoredLog | None:
    from ..sdk.log_store import open_log_store

    filesystem, folder = open_log_store()
    url = f"{folder}/{log_path}"
    return StoredLog(filesystem, url) if _exists(filesystem, url) else None


def _exists(filesystem: Any, url: str) -> bool:
    try:
        return bool(filesystem.exists(url))
    except Exception:  # noqa: BLE001 - away or forbidden: the file may still be here
        return False
