"""One runner per home and name: the file lock that says so, and who the runner is.

The lock is proof: who holds it, and has killed what was left behind, knows that every earlier
incarnation of the slot is dead, without waiting for its lease (``spec/reliability.md``, R4).
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import socket
import time
import uuid
from pathlib import Path

from ...database.values import WorkerIdentity, WorkerRow
from .process_groups import boot_id, process_started_at

_LOCK_TRIES = 5
_LOCK_PAUSE_S = 0.01
#: A runner that was lost before so many others has long been buried.
REMEMBERED_MAX = 50


class RunnerSlot:
    """The place of one runner on this machine, named by home and *name*."""

    def __init__(self, home: Path, name: str = "runner") -> None:
        self._folder = home / "run"
        self._name = name
        self._file: int | None = None
        #: Names the slot in the environment of its processes.
        self.id = hashlib.blake2b(f"{home.resolve()}\0{name}".encode(), digest_size=8).hexdigest()

    @property
    def entry_journal(self) -> Path:
        """Where task processes note that code of the user begins."""
        return self._folder / f"{self._name}.entered"

    @property
    def open_logs(self) -> Path:
        """Where the runner notes which logs it opens."""
        return self._folder / f"{self._name}.logs"

    @property
    def users_path(self) -> Path:
        """The file whose lock those hold together who hand work to this runner."""
        return self._folder / f"{self._name}.users"

    @property
    def spool_folder(self) -> Path:
        """Where results wait while the database is away."""
        return self._folder / f"{self._name}.spool"

    def acquire(self) -> bool:
        """Take the slot for this process. False: a living runner has it."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not _lock(file):
            os.close(file)
            return False
        os.ftruncate(file, 0)
        os.write(file, f"{os.getpid()}\n".encode())
        self._file = file
        return True

    def release(self) -> None:
        """Give the slot up."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def remember(self, worker_id: str) -> None:
        """Note that an incarnation of this slot begins: the journal speaks for it from now on."""
        known = [*(self.remembered() or ()), worker_id]
        self._ids_path.write_text("".join(f"{one}\n" for one in known[-REMEMBERED_MAX:]))

    def remembered(self) -> list[str] | None:
        """Return the incarnations of this slot so far; None: nobody has kept a list."""
        try:
            return self._ids_path.read_text().split()
        except OSError:
            return None

    def holder(self) -> int | None:
        """Return the pid of the runner that has the slot now, None if nobody has it."""
        try:
            file = os.open(self._lock_path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            text = os.read(file, 32)
            with contextlib.suppress(ValueError):
                return int(text)
            return None
        else:
            return None
        finally:
            os.close(file)

    @property
    def _ids_path(self) -> Path:
        return self._folder / f"{self._name}.ids"

    @property
    def _lock_path(self) -> Path:
        return self._folder / f"{self._name}.lock"


def _lock(file: int) -> bool:
    # Several tries: whoever asks for the holder has a shared lock for a moment.
    for _ in range(_LOCK_TRIES):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_LOCK_PAUSE_S)
        else:
            return True
    return False


def new_identity(
    executor: str, queues: tuple[str, ...], slots: int, log_url: str = ""
) -> WorkerIdentity:
    """Draw a new incarnation for this process."""
    pid = os.getpid()
    return WorkerIdentity(
        id=str(uuid.uuid4()),
        host=socket.gethostname(),
        boot_id=boot_id(),
        pid=pid,
        pid_started_at=process_started_at(pid) or 0.0,
        executor=executor,
        queues=queues,
        slots=slots,
        log_url=log_url,
    )


def is_proven_dead(worker: WorkerRow, own: WorkerIdentity) -> bool:
    """Whether evidence on this machine shows that a worker's process is gone.

    A worker of another machine is never judged here: only its lease can tell.
    """
    if worker.host != own.host or worker.id == own.id:
        return False
    if worker.boot_id != own.boot_id:
        return True
    started_at = process_started_at(worker.pid)
    return started_at is None or started_at != worker.pid_started_at
