"""Results that wait on disk while the database is away.

One file per attempt, written and fsynced before anything else happens to it, so that a runner
that dies in the meantime loses none; the next incarnation hands them in.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

from ...database.values import AttemptResult

log = logging.getLogger(__name__)

_SUFFIX = ".result"


class Spool:
    """A folder of results. ``save`` may be called again and again with the same ones."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._saved: set[str] = set()

    def save(self, results: Iterable[AttemptResult]) -> None:
        """Put on disk what is not there yet. A disk that refuses leaves them in memory."""
        for result in results:
            name = _file_name(result)
            if name in self._saved:
                continue
            try:
                self._write(name, msgspec.msgpack.encode(result))
            except OSError as error:
                log.error("a result cannot be spooled", extra={"error": str(error)})
                return
            self._saved.add(name)

    def forget(self, results: Iterable[AttemptResult]) -> None:
        """Remove what the database has now."""
        if not self._saved:
            return
        for result in results:
            name = _file_name(result)
            if name in self._saved:
                (self._folder / name).unlink(missing_ok=True)
                self._saved.discard(name)

    def load(self) -> list[AttemptResult]:
        """Return what an earlier incarnation left; unreadable files are set aside."""
        results: list[AttemptResult] = []
        if not self._folder.is_dir():
            return results
        for path in sorted(self._folder.glob(f"*{_SUFFIX}")):
            try:
                results.append(msgspec.msgpack.decode(path.read_bytes(), type=AttemptResult))
                self._saved.add(path.name)
            except (OSError, msgspec.DecodeError):
                path.rename(path.with_suffix(".unreadable"))
        return results

    def _write(self, name: str, data: bytes) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = self._folder / f"{name}.new"
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(self._folder / name)
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _file_name(result: AttemptResult) -> str:
    return f"{result.task_instance_id}-{result.epoch}-{result.claim_id[:8]}{_SUFFIX}"
