"""Where a runner's processes find things, and how its tasks are started."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Protocol

from ...sdk.clock import Clock
from ..task import protocol
from .hosts import HostSettings
from .log_files import LOG_BYTES_MAX, TaskLog, append_lines
from .log_shipping import ShippingNotes
from .processes import TaskOrder


@dataclass(frozen=True, slots=True)
class OsSettings:
    """``docs/configuration.md``, sections [core], [execution] and [logging]."""

    log_folder: Path
    dags_folder: Path
    import_folders: Sequence[str] = ()
    #: Start every task in a fresh interpreter ([execution] start_method = spawn).
    is_spawning: bool = False
    #: The same for DAGs whose id one of these patterns matches.
    spawned_dags: Sequence[str] = ()
    log_bytes_max: int = LOG_BYTES_MAX
    folder_mode: int = 0o775
    file_mode: int = 0o664
    hosts: HostSettings = field(default_factory=HostSettings)
    #: Where complete logs are noted that are to be shipped; None: they stay where they are.
    shipping: ShippingNotes | None = None

    def spawns(self, dag_id: str) -> bool:
        """Tell whether the tasks of a DAG start in fresh interpreters."""
        if self.is_spawning or sys.platform != "linux":
            return True
        return any(fnmatchcase(dag_id, pattern) for pattern in self.spawned_dags)

    def path_of(self, order: TaskOrder) -> str:
        """Return the DAG file that an order's task is in."""
        own = order.claim.fileloc
        if own and Path(own).exists():
            return own
        # Another machine's folder, or a home that has moved.
        return str(self.dags_folder / order.claim.relative_fileloc)

    def task_log(self, order: TaskOrder, clock: Clock) -> TaskLog:
        """Return the log of an order's try, not opened yet."""
        return self.log_at(order.log_path, clock)

    def log_at(self, log_path: str, clock: Clock) -> TaskLog:
        """Return the log at a path below the log folder, not opened yet."""
        return TaskLog(
            self.log_folder / log_path,
            clock,
            bytes_max=self.log_bytes_max,
            folder_mode=self.folder_mode,
            file_mode=self.file_mode,
            on_closed=None if self.shipping is None else partial(self.shipping.add, log_path),
        )

    def append_to_log(self, log_path: str, lines: Sequence[str]) -> None:
        """Add lines to a log that no process of ours holds open."""
        append_lines(
            self.log_folder / log_path,
            lines,
            folder_mode=self.folder_mode,
            file_mode=self.file_mode,
        )

    def host_start(self, path: str, relative_path: str) -> protocol.HostStart:
        """Return what a process that imports a file is told."""
        return protocol.HostStart(
            path=path,
            relative_path=relative_path,
            import_folders=[str(folder) for folder in self.import_folders],
        )


class BellListener(Protocol):
    """What rings when the database has something new (``database.bell``)."""

    def fileno(self) -> int:
        """Readable after a ring."""

    def drain(self) -> object:
        """Forget the rings so far."""
