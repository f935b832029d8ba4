"""Which task host serves a DAG file now, and which hosts may go.

A host is bound to what it read while importing: the file, helper modules, data files, stored
Variables. A change of any of them makes it stale; a new host is started, and the old one stays
until the new one has loaded, so that a file which is broken for a moment stops nothing.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..task import frames, protocol
from ..task.watched_files import stat_signature
from .processes import Asked, TaskOrder

#: A host reads at once unless it hangs.
SEND_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class HostSettings:
    """``docs/configuration.md``, section [execution]; seconds and bytes."""

    hosts_max: int = 16
    memory_max_bytes: int = 512 * 1024 * 1024
    idle_s: float = 300.0
    age_max_s: float = 3600.0
    #: A file that could not be imported is tried again after so long, though it did not change.
    broken_s: float = 10.0


@dataclass(slots=True, eq=False)
class Host:
    """One host process, as its runner sees it. Instants are readings of the monotonic clock."""

    path: str
    pid: int
    control: socket.socket
    reader: frames.FrameReader
    started_due: float
    used_due: float
    ready: protocol.HostReady | None = None
    is_gone: bool = False
    is_retired: bool = False
    #: A stored Variable or Connection that it asked for while importing is another one now.
    has_stale_values: bool = False
    #: Tasks that wait for the import to end.
    waiting: list[TaskOrder] = field(default_factory=list)
    running: set[str] = field(default_factory=set)
    #: Secrets that it met while importing: its tasks know them from their first line on.
    masked: list[str] = field(default_factory=list)

    @property
    def is_idle(self) -> bool:
        """Whether no task depends on it."""
        return not self.waiting and not self.running

    @property
    def can_run(self) -> bool:
        """Whether it has loaded its file, and lives."""
        return self.ready is not None and not self.ready.error and not self.is_gone

    def send(self, message: protocol.HostOrder | protocol.Answer, fds: Sequence[int] = ()) -> bool:
        """Send it a message; False: it does not listen any more, and is of no use."""
        self.control.settimeout(SEND_TIMEOUT_S)
        try:
            frames.send(self.control, protocol.encode(message), fds)
        except (frames.ConnectionLost, OSError):
            return False
        else:
            return True
        finally:
            self.control.settimeout(0.0)

    def has_changed_inputs(self) -> bool:
        """Whether a file that it read while importing is another one now."""
        if self.ready is None:
            return False
        return any(stat_signature(path) != seen for path, seen in self.ready.watched.items())


@dataclass(frozen=True, slots=True)
class StaleCheck:
    """Asks whether the stored values that a host has seen are still the same."""

    host: Host


class HostPool:
    """All hosts of one runner, by file. Policy only: starting and closing is its owner's."""

    def __init__(self, settings: HostSettings) -> None:
        self._settings = settings
        #: The host that new tasks of a file go to.
        self.current: dict[str, Host] = {}
        #: The last one that loaded, while its successor is still importing or has failed.
        self.previous: dict[str, Host] = {}
        self.all: list[Host] = []

    def add(self, host: Host) -> None:
        """Make *host* the current one of its file; a predecessor that works stands by."""
        old = self.current.get(host.path)
        if old is not None and old.can_run:
            self.previous[host.path] = old
        elif old is not None:
            old.is_retired = True
        self.current[host.path] = host
        self.all.append(host)

    def usable(self, path: str, now_s: float) -> Host | None:
        """Return the host for a new task of *path*, None if one has to be started."""
        host = self.current.get(path)
        if host is None or host.is_gone:
            return None
        if host.ready is None:
            return host
        if host.has_stale_values or host.has_changed_inputs():
            return None
        if host.ready.error:
            is_fresh = now_s - host.started_due < self._settings.broken_s
            return host if is_fresh else None
        if now_s - host.started_due > self._settings.age_max_s:
            return None
        return host

    def loaded(self, host: Host) -> None:
        """Note that *host* has loaded: its predecessor is not needed any more."""
        old = self.previous.pop(host.path, None)
        if old is not None:
            old.is_retired = True

    def stand_in(self, path: str) -> Host | None:
        """Return the last host of *path* that loaded, for a file that is broken now."""
        old = self.previous.get(path)
        return old if old is not None and old.can_run else None

    def forget(self, host: Host) -> None:
        """Remove a host that is gone or was closed."""
        if host in self.all:
            self.all.remove(host)
        for table in (self.current, self.previous):
            if table.get(host.path) is host:
                del table[host.path]

    def expendable(self, now_s: float, memory: Mapping[int, int]) -> list[Host]:
        """Return the hosts to be closed now, least recently used first.

        Args:
            memory: pid → bytes that the host holds for itself.
        """
        idle = sorted((host for host in self.all if host.is_idle), key=lambda host: host.used_due)
        going = [host for host in idle if self._has_no_use(host, now_s)]
        staying = [host for host in idle if host not in going]
        kept = [host for host in self.all if host not in going]
        total = sum(memory.get(host.pid, 0) for host in kept)
        count = len(kept)
        for host in staying:
            if count <= self._settings.hosts_max and total <= self._settings.memory_max_bytes:
                break
            going.append(host)
            count -= 1
            total -= memory.get(host.pid, 0)
        return going

    def stale_checks(self) -> list[Asked]:
        """Return the questions whether stored values that hosts have seen are still the same."""
        return [
            Asked(
                StaleCheck(host),
                None,
                "have_values_changed",
                {"variables": host.ready.variables, "connections": host.ready.connections},
            )
            for host in self.all
            if host.ready is not None and (host.ready.variables or host.ready.connections)
        ]

    def _has_no_use(self, host: Host, now_s: float) -> bool:
        return host.is_retired or now_s - host.used_due > self._settings.idle_s


def private_bytes(pids: Iterable[int]) -> dict[int, int]:
    """Return what each process holds for itself alone; processes that ended are left out."""
    sizes: dict[int, int] = {}
    for pid in pids:
        try:
            text = (Path("/proc") / str(pid) / "smaps_rollup").read_text()
        except OSError:
            continue
        total = 0
        for line in text.splitlines():
            if line.startswith(("Private_Clean:", "Private_Dirty:")):
                total += int(line.split()[1]) * 1024
        sizes[pid] = total
    return sizes
