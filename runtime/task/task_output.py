"""Where a task process's words go: one pipe to the runner, for stdout, stderr and logging alike.

One pipe keeps the order in which things were said. Logging records are marked (see
``protocol``), so that the runner can tell them from plain output and from continued lines.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import select
import sys
import time
from typing import TYPE_CHECKING

from ...sdk.configuration import conf
from .protocol import CONTINUED_MARK, RECORD_MARK

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

#: Airflow 2's line: ``[2026-11-21T07:23:42.873+0000] {subprocess.py:106} INFO - text``.
DEFAULT_FORMAT = "[%(asctime)s] {%(filename)s:%(lineno)d} %(levelname)s - %(message)s"

_CONTINUED = b"\n" + CONTINUED_MARK


class TaskFormatter(logging.Formatter):
    """Airflow's format of a line, with instants in UTC."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03d+0000"


class OutputHandler(logging.Handler):
    """Writes each record to the output pipe in one piece."""

    def __init__(self, descriptor: int, log_format: str) -> None:
        super().__init__()
        self._descriptor = descriptor
        self.setFormatter(TaskFormatter(log_format))

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record behind everything that was printed before it."""
        try:
            text = self.format(record).encode("utf-8", "backslashreplace")
            with contextlib.suppress(Exception):  # the task has closed or replaced it
                sys.stdout.flush()
            _write_all(self._descriptor, RECORD_MARK + text.replace(b"\n", _CONTINUED) + b"\n")
        except Exception:  # noqa: BLE001 - logging must never fail a task
            self.handleError(record)


def log_settings() -> tuple[str, str]:
    """Return format and level as [logging] says."""
    log_format = conf.get("logging", "log_format") or DEFAULT_FORMAT
    return log_format, (conf.get("logging", "logging_level") or "INFO").upper()


def install_output(log_format: str, level: str) -> None:
    """Make new streams on descriptors 0, 1 and 2, and one handler that all loggers write to.

    Done in the task host, once; its tasks only ``connect_output``. What user code has set up
    for logging at import stays, but for the root logger's handlers.
    """
    sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, "r", closefd=False)))
    sys.stdout = _text_stream(1)
    sys.stderr = _text_stream(2)
    sys.__stdout__ = sys.stdout  # type: ignore[misc]
    sys.__stderr__ = sys.stderr  # type: ignore[misc]
    root = logging.getLogger()
    for handler in list(root.handlers):
        root.removeHandler(handler)
    root.addHandler(OutputHandler(1, log_format))
    root.setLevel(level)
    logging.captureWarnings(True)


def connect_output(descriptor: int) -> None:
    """Let everything that this process says go to *descriptor*, and nothing come in."""
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)


class DirectWriter(io.BufferedIOBase):
    """A binary stream without a buffer of its own.

    ``io.BufferedWriter`` refuses to be entered twice, so a signal handler that logs or prints,
    as SIGTERM's does, would fail where the signal arrived in the middle of a ``print``.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor

    @property
    def name(self) -> int:
        """Return the descriptor, as files without a path do."""
        return self._descriptor

    def fileno(self) -> int:
        """Return the descriptor that is written to."""
        return self._descriptor

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, data: Buffer, /) -> int:
        """Write all of *data* before returning."""
        view = memoryview(data).cast("B")
        _write_all(self._descriptor, view)
        return view.nbytes


def _text_stream(descriptor: int) -> io.TextIOWrapper:
    return io.TextIOWrapper(
        DirectWriter(descriptor), encoding="utf-8", errors="backslashreplace", line_buffering=True
    )


def _write_all(descriptor: int, data: bytes | memoryview) -> None:
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(descriptor, view) :]
        except BlockingIOError:  # a program that the task started set the pipe so: node does
            select.select([], [descriptor], [])
