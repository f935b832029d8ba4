"""Logs that lie elsewhere: at the worker that wrote them, or where they were shipped to.

Each is opened like a file: ``open("rb")`` gives a stream that can seek, so that pages read a log of
any size in parts. What cannot be read gives one line that says where the log is and why not.
"""

from __future__ import annotations

import io
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from ..sdk.configuration import conf
from ..sdk.log_tickets import make_ticket

#: Read from a worker in one request.
BLOCK_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class WorkerLog:
    """A log on the disk of the worker that wrote it."""

    url: str
    path: str  # relative to that worker's log folder
    now: Callable[[], datetime]

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.rpartition("/")[2]

    def __str__(self) -> str:
        return f"{self.url}/log/{quote(self.path)}"

    def open(self, _mode: str = "rb") -> IO[bytes]:
        """Return a stream over the log as it is now."""
        try:
            return io.BufferedReader(_RangeReader(self), BLOCK_BYTES)
        except OSError as error:
            return io.BytesIO(
                f"The log is at {self.url} and cannot be read there: {_why(error)}\n".encode()
            )

    def request(self, method: str, headers: dict[str, str] | None = None) -> Any:
        """Send one request.

        Raises:
            OSError: the worker does not answer, or refuses.
        """
        asked = urllib.request.Request(  # noqa: S310 - the address is the worker's own, by http
            str(self), method=method, headers=headers or {}
        )
        asked.add_header("Authorization", f"Bearer {make_ticket(self.path, self.now())}")
        timeout_s = conf.getfloat("api", "log_fetch_timeout_sec")
        return _OPENER.open(asked, timeout=timeout_s)


@dataclass(frozen=True, slots=True)
class StoredLog:
    """A log that was shipped to ``[logging] remote_base_log_folder``."""

    filesystem: Any
    url: str

    @property
    def name(self) -> str:
        """The file's name."""
        return self.url.rpartition("/")[2]

    def __str__(self) -> str:
        return self.url

    def open(self, _mode: str = "rb") -> IO[bytes]:
        """Return a stream over the log."""
        try:
            stream: IO[bytes] = self.filesystem.open(self.url, "rb")
        except Exception as error:  # noqa: BLE001 - whatever a file system's client raises
            return io.BytesIO(f"The log is at {self.url} and cannot be read: {error}\n".encode())
        return stream


@dataclass(frozen=True, slots=True)
class JoinedLog:
    """The log of one try that was handed to several workers, in the order in which they had it."""

    parts: Sequence[WorkerLog | StoredLog | Path]

    @property
    def name(self) -> str:
        """The file's name."""
        return self.parts[-1].name

    def __str__(self) -> str:
        return ", ".join(map(str, self.parts))

    def open(self, _mode: str = "rb") -> IO[bytes]:
        """Return a stream over all of them, one after the other."""
        return io.BufferedReader(_Chain([part.open("rb") for part in self.parts]), BLOCK_BYTES)


class _Chain(io.RawIOBase):
    """Several streams as one. Its length is that of the moment it was made."""

    def __init__(self, streams: Sequence[IO[bytes]]) -> None:
        self._streams = streams
        self._sizes = [stream.seek(0, io.SEEK_END) for stream in streams]
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: sum(self._sizes)}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        before = 0
        for stream, size in zip(self._streams, self._sizes, strict=True):
            if self._at < before + size:
                stream.seek(self._at - before)
                data = stream.read(min(len(buffer), before + size - self._at))
                buffer[: len(data)] = data
                self._at += len(data)
                return len(data)
            before += size
        return 0

    def close(self) -> None:
        for stream in self._streams:
            stream.close()
        super().close()


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_arguments: Any, **_more: Any) -> None:
        return None  # a worker sends nobody elsewhere


#: No proxy: workers are machines of our own.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect())


class _RangeReader(io.RawIOBase):
    """Reads a worker's log by ranges of bytes. Its length is that of the moment it was opened."""

    def __init__(self, log: WorkerLog) -> None:
        self._log = log
        with log.request("HEAD") as answer:
            self._size = int(answer.headers.get("Content-Length", 0))
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        end = min(self._at + len(buffer), self._size)
        if end <= self._at:
            return 0
        with self._log.request("GET", {"Range": f"bytes={self._at}-{end - 1}"}) as answer:
            data = answer.read(len(buffer))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def _why(error: OSError) -> str:
    if isinstance(error, urllib.error.HTTPError):
        said = error.read(300).decode(errors="replace").strip()
        return f"{error.code} {said}" if said else f"{error.code} {error.reason}"
    return str(getattr(error, "reason", None) or error)
