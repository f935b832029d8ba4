"""Which machine and which process this is, so that a pid used again is told from the old one."""

from __future__ import annotations

import os
import socket
import uuid
from pathlib import Path

from ...database.values import WorkerIdentity, WorkerRow
from ...sdk.configuration import conf

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
#: Field 22 of /proc/PID/stat, counted from the one after the command's name.
_START_TIME_FIELD = 19


def host_name() -> str:
    """Return the name of this machine, as ``[core] hostname_callable`` gives it where it is set."""
    find = conf.getimport("core", "hostname_callable") if _is_set() else None
    return str(find()) if callable(find) else socket.gethostname()


def boot_id() -> str:
    """Return what names this boot of the machine; empty where the system does not say."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return ""


def process_started_at(pid: int) -> float | None:
    """Return when a process started, in clock ticks since boot; None: it is gone (or a zombie)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else float(fields[_START_TIME_FIELD])


def make_identity(executor: str, slots: int, queues: tuple[str, ...] = ()) -> WorkerIdentity:
    """Draw a new incarnation for this process."""
    return WorkerIdentity(
        id=str(uuid.uuid4()),
        host=host_name(),
        boot_id=boot_id(),
        pid=os.getpid(),
        pid_started_at=process_started_at(os.getpid()) or 0.0,
        executor=executor,
        queues=queues,
        slots=slots,
    )


def is_process_gone(worker: WorkerRow) -> bool:
    """Tell whether a worker of this machine has certainly ended. Elsewhere: never certain."""
    if worker.host != host_name() or not worker.boot_id:
        return False
    if worker.boot_id != boot_id():
        return True  # the machine was started again since
    if not _BOOT_ID.exists():
        return False
    return process_started_at(worker.pid) != worker.pid_started_at


def _is_set() -> bool:
    _value, source = conf.find("core", "hostname_callable")
    return source != "default"
