"""Where the log of one try is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .log_sources import JoinedLog, StoredLog, WorkerLog

if TYPE_CHECKING:
    from ..database.store import Store
    from ..database.values import AttemptRow, WorkerRow

#: What ``find_log`` gives: each has ``open("rb")``, ``name``, and says where it is as text.
LogSource = Path | WorkerLog | StoredLog | JoinedLog
#: What a page asks of other machines for one log: a sensor may have been with many workers.
PARTS_MAX = 8


def find_log(store: Store, attempts: Sequence[AttemptRow], try_number: int) -> LogSource | None:
    """Return the log of this try, None where there is none (yet).

    A shipped log comes first once the try has ended, then the file on this machine, then the
    worker that wrote it; a try that was handed to several workers (deferred, rescheduled, given
    back) has a part at each, of which the newest are shown. Source: ``docs/configuration.md``,
    "Logs on disk".
    """
    parts: dict[str, Path | WorkerLog | StoredLog] = {}
    hosts = set()
    for attempt in sorted(attempts, key=lambda row: row.epoch, reverse=True):
        if attempt.try_number != try_number or not attempt.log_path or len(parts) == PARTS_MAX:
            continue
        worker = store.workers.find(attempt.worker_id) if attempt.worker_id else None
        if worker is not None and worker.state != "alive" and worker.host in hosts:
            continue  # its successor there writes on in the same file
        part = _find(worker, attempt, attempt.log_path, store)
        if part is not None:
            parts.setdefault(str(part), part)
            hosts.add(attempt.hostname)
    found = list(reversed(parts.values()))
    return JoinedLog(found) if len(found) > 1 else next(iter(found), None)


def _find(
    worker: WorkerRow | None, attempt: AttemptRow, log_path: str, store: Store
) -> Path | WorkerLog | StoredLog | None:
    from ..sdk.configuration import conf
    from ..sdk.log_store import is_remote

    if attempt.ended_at is not None and is_remote():
        stored = _find_stored(log_path)
        if stored is not None:
            return stored
    path = Path(conf.get("logging", "base_log_folder")) / log_path  # an absolute one stays
    if path.is_file():
        return path
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
