"""Ships logs of ended tries to ``[logging] remote_base_log_folder``, any URL that fsspec can open.

The runner only notes on disk that a log is complete; a process of its own copies it. So a store
that is slow or away costs no task anything, and nothing is forgotten when a process dies: the note
stays until the log has arrived.
"""

from __future__ import annotations

import hashlib
import logging
import os
import signal
import time
from pathlib import Path
from types import FrameType
from typing import Any

from ...sdk.configuration import conf, home
from ...sdk.log_store import open_log_store

log = logging.getLogger(__name__)

#: So often the notes are looked at, in seconds.
INTERVAL_S = 0.5
#: A store that refuses is asked again after so long, twice as long each time, up to a minute.
RETRY_MIN_S = 1.0
RETRY_MAX_S = 60.0
#: How long a shipper that is to stop goes on with what is left.
LAST_S = 3.0


class ShippingNotes:
    """Notes about logs to be shipped: one small file for each, in the run folder of a home."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, log_path: str) -> None:
        """Note that the log at *log_path*, below the log folder, is complete. Never fails."""
        name = hashlib.blake2b(log_path.encode(), digest_size=16).hexdigest()
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = self._folder / f".{name}.{os.getpid()}"
            draft.write_text(log_path)
            draft.rename(self._folder / name)
        except OSError as error:
            log.error("a log cannot be noted for shipping", extra={"error": str(error)})

    def waiting(self) -> list[tuple[Path, str]]:
        """Return the notes with the log paths that they name."""
        found = []
        for note in sorted(self._folder.glob("[!.]*")) if self._folder.is_dir() else []:
            try:
                found.append((note, note.read_text()))
            except OSError:
                continue
        return found


def shipping_notes() -> ShippingNotes:
    """Return the notes of this home."""
    return ShippingNotes(home() / "run" / "shipping")


class LogShipper:
    """Copies noted logs to a file system."""

    def __init__(
        self, notes: ShippingNotes, log_folder: Path, filesystem: Any, url: str, *, deletes: bool
    ) -> None:
        """Args: url: the folder in *filesystem*. deletes: local logs that have arrived."""
        self._notes = notes
        self._log_folder = log_folder
        self._filesystem = filesystem
        self._url = url
        self._deletes = deletes

    def ship_all(self) -> int:
        """Ship what is noted; return how many logs have arrived.

        Raises:
            Exception: whatever the file system raises; the notes of the rest stay.
        """
        count = 0
        for note, log_path in self._notes.waiting():
            local = self._log_folder / log_path
            if local.is_file():
                self._ship(local, f"{self._url}/{log_path}")
                count += 1
            note.unlink(missing_ok=True)
            if self._deletes:
                local.unlink(missing_ok=True)
        return count

    def _ship(self, local: Path, url: str) -> None:
        data = local.read_bytes()
        if self._filesystem.exists(url):
            data = joined(self._filesystem.cat_file(url), data)
        self._filesystem.makedirs(url.rpartition("/")[0], exist_ok=True)
        self._filesystem.pipe_file(url, data)


def joined(there: bytes, here: bytes) -> bytes:
    """Return a stored log followed by what is new in a local one.

    One try may be handed out several times (a sensor that is rescheduled), to several workers:
    what was stored begins as ours where we stored it, and is another worker's where not.
    """
    same = 0
    for line_there, line_here in zip(
        there.splitlines(keepends=True), here.splitlines(keepends=True), strict=False
    ):
        if line_there != line_here:
            break
        same += len(line_here)
    return there + here[same:]


def run_shipper() -> int:
    """Ship logs until SIGTERM, and then what is left, for a moment."""
    filesystem, url = open_log_store()
    shipper = LogShipper(
        shipping_notes(),
        Path(conf.get("logging", "base_log_folder")),
        filesystem,
        url,
        deletes=conf.getboolean("logging", "delete_local_logs"),
    )
    stopping: list[float] = []

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.append(time.monotonic())

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    delay_s = RETRY_MIN_S
    while True:
        wait_s = INTERVAL_S
        try:
            shipper.ship_all()
            delay_s = RETRY_MIN_S
        except Exception as error:  # noqa: BLE001 - whatever a store's client raises
            what = "logs cannot be shipped to %s ([logging] remote_base_log_folder): %s"
            log.error(what, url, error)
            wait_s, delay_s = delay_s, min(2 * delay_s, RETRY_MAX_S)
        if stopping and (wait_s == INTERVAL_S or time.monotonic() > stopping[0] + LAST_S):
            return 0
        time.sleep(min(wait_s, INTERVAL_S) if stopping else wait_s)
