"""The log file of one try: lines in, masked and dated lines out, never more than a cap.

The runner owns it, so a log exists for every claimed try, whatever became of its process, and
ends with a verdict. A disk that refuses to write loses lines, never a task.
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from ...sdk.clock import Clock
from ..task.protocol import CONTINUED_MARK, RECORD_MARK

#: What is kept of one try's output; the rest is counted and dropped.
LOG_BYTES_MAX = 100 * 1024 * 1024
#: A line longer than this is written in pieces: memory stays bounded.
LINE_BYTES_MAX = 256 * 1024
TAIL_LINES = 20
#: Shorter secrets are not masked: they would eat ordinary words.
MASKED_LENGTH_MIN = 5
MASK = b"***"


class TaskLog:
    """Writes one log file; appends when the try was here before."""

    def __init__(
        self,
        path: Path,
        clock: Clock,
        *,
        bytes_max: int = LOG_BYTES_MAX,
        folder_mode: int = 0o775,
        file_mode: int = 0o664,
        owner: str = "runner",
        on_closed: Callable[[], None] | None = None,
    ) -> None:
        """Prepare. The file is made by ``open``, or by the first line.

        Args:
            owner: who writes its notes, as the log shows it.
            on_closed: is called when the log is complete.
        """
        self._owner = owner
        self._on_closed = on_closed
        self._clock = clock
        self._bytes_left = bytes_max
        self._dropped = 0
        self._partial = b""
        self._masked: set[bytes] = set()
        self._pattern: re.Pattern[bytes] | None = None
        self._tail: deque[bytes] = deque(maxlen=TAIL_LINES)
        self._file: int | None = None
        self._path = path
        self._modes = folder_mode, file_mode
        self._is_opened = False

    def open(self) -> None:
        """Make the file. The first line that is written does so, too."""
        if self._is_opened:
            return
        self._is_opened = True
        try:
            self._file = _open_for_appending(self._path, *self._modes)
        except OSError:  # full, read-only or forbidden: the task runs on without a log
            self._file = None

    def mask(self, values: Iterable[str]) -> None:
        """Keep *values*, and their usual encodings, out of everything written from now on."""
        for value in values:
            for line in value.splitlines():
                if len(line) >= MASKED_LENGTH_MIN:
                    self._masked.update(_encodings(line))
        if self._masked:
            longest_first = sorted(self._masked, key=len, reverse=True)
            self._pattern = re.compile(b"|".join(map(re.escape, longest_first)))

    def feed(self, data: bytes) -> None:
        """Take what the task wrote. Whole lines go to the file, the rest waits for its end."""
        lines = (self._partial + data).split(b"\n")
        self._partial = lines.pop()
        while len(self._partial) > LINE_BYTES_MAX:
            lines.append(self._partial[:LINE_BYTES_MAX])
            self._partial = CONTINUED_MARK + self._partial[LINE_BYTES_MAX:]
        if lines:
            self._write_lines(lines)

    def note(self, text: str) -> None:
        """Write a line of the owner's."""
        mark = RECORD_MARK + self._stamp(self._owner)
        first, *further = text.encode("utf-8", "backslashreplace").split(b"\n")
        self._write_lines([mark + first, *(CONTINUED_MARK + line for line in further)])

    def close(self, verdict: str) -> None:
        """Write what is left and the verdict line, and close the file."""
        if self._partial:
            self._write_lines([self._partial])
            self._partial = b""
        self._bytes_left = max(self._bytes_left, LINE_BYTES_MAX)  # the verdict always fits
        if self._dropped:
            self.note(f"{self._dropped} bytes of output were dropped: the log is full")
        self.note(verdict)
        if self._file is not None:
            os.close(self._file)
            self._file = None
        if self._on_closed is not None:
            self._on_closed()

    def last_lines(self) -> list[str]:
        """Return the last lines of the task's own output, without marks."""
        return [line.decode("utf-8", "backslashreplace") for line in self._tail]

    def _write_lines(self, lines: list[bytes]) -> None:
        stamp = self._stamp("stdout")
        written: list[bytes] = []
        for line in lines:
            # A record may follow words without an end of line, such as those of a program.
            begun, mark, record = line[1:].partition(RECORD_MARK)
            for part in (line[:1] + begun, mark + record) if mark else (line,):
                is_marked = part.startswith((RECORD_MARK, CONTINUED_MARK))
                text = part[1:] if is_marked else stamp + part
                if self._pattern is not None:
                    text = self._pattern.sub(MASK, text)
                written.append(text)
                self._tail.append(text)
        self._append(b"\n".join(written) + b"\n")

    def _append(self, data: bytes) -> None:
        if len(data) > self._bytes_left:
            self._dropped += len(data)
            return
        self._bytes_left -= len(data)
        self.open()
        if self._file is None:
            return
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(self._file, view) :]
        except OSError:
            self._dropped += len(data)

    def _stamp(self, source: str) -> bytes:
        return f"[{format_instant(self._clock.now())}] {{{source}}} INFO - ".encode()


def _open_for_appending(path: Path, folder_mode: int, file_mode: int) -> int:
    """Open the file, and make its folder where it is missing."""
    path.parent.mkdir(mode=folder_mode, parents=True, exist_ok=True)
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, file_mode)


def append_lines(path: Path, lines: Iterable[str], *, folder_mode: int, file_mode: int) -> None:
    """Add lines to the log of a try that no process holds open: its task waits for a trigger.

    Records of several lines stay as they are. A disk that refuses loses them, and so does a log
    that is full.
    """
    data = "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")
    try:
        descriptor = _open_for_appending(path, folder_mode, file_mode)
    except OSError:
        return
    try:
        if os.fstat(descriptor).st_size + len(data) <= LOG_BYTES_MAX:
            os.write(descriptor, data)
    except OSError:
        return
    finally:
        os.close(descriptor)


def format_instant(instant: datetime) -> str:
    """Return an aware UTC instant as log lines show it: ``2026-11-21T07:23:42.873+0000``."""
    return instant.isoformat(timespec="milliseconds")[:23] + "+0000"


def _encodings(value: str) -> set[bytes]:
    plain = value.encode("utf-8", "backslashreplace")
    return {
        plain,
        quote(value, safe="", errors="backslashreplace").encode(),
        json.dumps(value)[1:-1].encode(),
        repr(value)[1:-1].encode("utf-8", "backslashreplace"),
        base64.b64encode(plain),
    }
