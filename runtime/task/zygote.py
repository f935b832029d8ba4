"""The zygote: a clean process that has imported what all share, and forks on request.

Started by exec (``python -m tradewind.runtime.task.zygote FD``), so it holds no database
handle, no secret and no thread of whoever started it. Its children, task hosts, parser
and callback children, share its memory: ten hosts cost 39 MB instead of 128 (engine findings,
section 6).
It must never start a thread. It reports each exit of a child and ends with its client.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn

import msgspec

from . import frames, process_hygiene

#: kind → module with ``main(payload: bytes, fds: Sequence[int]) -> None``.
KINDS = {"host": ".host", "parse": ".parse", "callback": ".callback_child"}

#: Shared by every child. Order matters little; all are ours or among our base dependencies.
PREIMPORTED = (
    "croniter",
    "jinja2",
    "pendulum",
    "tradewind.sdk",
    "tradewind.operators",
    "tradewind.runtime.task",
)


class ForkRequest(msgspec.Struct, tag="fork"):
    """Fork one child of *kind*; descriptors ride along. Answered by ``Forked``."""

    kind: str
    payload: bytes


class SignalRequest(msgspec.Struct, tag="signal"):
    """Send a signal to a child, or to its process group, if it is still ours.

    Only the parent can signal a pid without the risk that another process has it by now.
    """

    pid: int
    number: int
    to_group: bool = False


class Forked(msgspec.Struct, tag="forked"):
    """``pid`` 0: the fork failed, *error* says why."""

    pid: int
    error: str = ""


class Exited(msgspec.Struct, tag="exited"):
    """A child ended; *status* as ``os.waitpid`` gives it."""

    pid: int
    status: int


Request = ForkRequest | SignalRequest
Report = Forked | Exited

_decode_request = msgspec.msgpack.Decoder(Request).decode
_encode = msgspec.msgpack.Encoder().encode


class Zygote:
    """The loop: one request at a time, exits reported as they come."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._wake_read, self._wake_write = os.pipe()
        for number in (self._wake_read, self._wake_write):
            os.set_blocking(number, False)
        self._children: set[int] = set()
        self._pid = os.getpid()
        self._changed_signals: Sequence[int] = ()

    def serve(self) -> None:
        """Answer until the client closes its end; then the children die with this process."""
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the client's to handle
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        self._changed_signals = process_hygiene.changed_signals()
        with contextlib.suppress(frames.ConnectionLost):
            while True:
                requests = self._connection.fileno()
                ready, _, _ = select.select([requests, self._wake_read], [], [])
                if self._wake_read in ready:
                    self._drain_wake()
                    self._reap()
                if requests in ready:
                    self._answer()

    def _drain_wake(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while os.read(self._wake_read, 512):
                pass

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid in self._children:
                self._children.discard(pid)
                self._kill_adopted()
                self._report(Exited(pid=pid, status=status))

    def _kill_adopted(self) -> None:
        # A child of ours is gone; what it left behind was handed to us and has no owner now.
        for pid in process_hygiene.child_pids():
            if pid not in self._children:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)

    def _answer(self) -> None:
        message, fds = frames.receive(self._connection)
        request = _decode_request(message)
        if isinstance(request, SignalRequest):
            self._signal(request)
        else:
            self._fork(request, fds)
        # Closed before the next request: an open copy would be inherited by the next child,
        # and the end-of-file that tells of this one's exit would never come.
        for number in fds:
            os.close(number)

    def _signal(self, request: SignalRequest) -> None:
        if request.pid not in self._children:
            return
        with contextlib.suppress(ProcessLookupError):
            if request.to_group:
                os.killpg(request.pid, request.number)
            else:
                os.kill(request.pid, request.number)

    def _fork(self, request: ForkRequest, fds: Sequence[int]) -> None:
        try:
            pid = os.fork()
        except OSError as error:
            self._report(Forked(pid=0, error=str(error)))
            return
        if pid == 0:
            self._become_child(request, fds)
        self._children.add(pid)
        self._report(Forked(pid=pid))

    def _become_child(self, request: ForkRequest, fds: Sequence[int]) -> NoReturn:
        status = 1
        try:
            process_hygiene.reset_signals(self._changed_signals)
            process_hygiene.die_with_parent(self._pid)
            process_hygiene.reseed_random()
            self._connection.close()
            os.close(self._wake_read)
            os.close(self._wake_write)
            module = importlib.import_module(KINDS[request.kind], __package__)
            module.main(request.payload, fds)
            status = 0
        except SystemExit as leaving:
            status = leaving.code if isinstance(leaving.code, int) else int(bool(leaving.code))
        except BaseException:  # noqa: BLE001 - the last frame: nothing may return to the loop
            traceback.print_exc()
        finally:
            with contextlib.suppress(Exception):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(status)

    def _report(self, report: Report) -> None:
        frames.send(self._connection, _encode(report))


def preimport() -> None:
    """Import and warm what every child needs, then freeze the heap so that it stays shared."""
    for name in (*PREIMPORTED, *(f"{__package__}{kind}" for kind in KINDS.values())):
        # One that cannot be imported is an error of the child that asks for it, not of all.
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    with contextlib.suppress(Exception):
        importlib.import_module(".rehearsal", __package__).rehearse()
    with contextlib.suppress(Exception):
        importlib.import_module(".rehearse_parsing", __package__).rehearse_parsing()
    with contextlib.suppress(Exception):  # looking at all installed packages takes a while
        importlib.import_module("tradewind.sdk.plugins").plugin_entry_points()
    gc.collect()
    gc.freeze()


def main(arguments: Sequence[str]) -> None:
    """Serve on the descriptor that *arguments* names."""
    connection = socket.socket(fileno=int(arguments[0]))
    process_hygiene.become_subreaper()
    process_hygiene.set_process_name("tradewind-zyg")
    preimport()
    Zygote(connection).serve()


if __name__ == "__main__":
    main(sys.argv[1:])
