"""Starts the zygote and asks it for children.

Not thread-safe: one client belongs to one loop. The exits of children arrive on ``fileno()``.
"""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

import msgspec

from ...sdk.errors import TradewindError
from ..task import frames

#: Importing what all children share takes 0.2 s with bytecode and seconds without.
START_TIMEOUT_S = 60.0
#: Once it has forked, another fork takes a millisecond: one that does not answer hangs.
FORK_TIMEOUT_S = 10.0

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode


class ZygoteDied(TradewindError):
    """The zygote is gone, and all its children with it. ``start()`` makes a new one."""


class ForkFailed(TradewindError):
    """The system refused a new process (limits, memory)."""


class ZygoteClient:
    """One zygote process, owned by whoever made this object."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        """Args: environment: of the zygote and all its children; None: this process's own."""
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: socket.socket | None = None
        self._reader: frames.FrameReader | None = None
        self._exits: list[tuple[int, int]] = []
        self._forked: list[tuple[int, str]] = []
        self._has_forked = False

    @property
    def pid(self) -> int | None:
        """The zygote's pid, None before ``start()``."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the zygote by exec. Returns at once: it imports while the caller goes on."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            # -P: the caller's working directory is no place to import from.
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "tradewind.runtime.task.zygote", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env=None if self._environment is None else dict(self._environment),
                stdin=subprocess.DEVNULL,
            )
        ours.setblocking(False)
        self._connection = ours
        self._reader = frames.FrameReader(ours)
        self._exits.clear()
        self._forked.clear()
        self._has_forked = False

    def fileno(self) -> int:
        """Readable when an exit can be polled, but for those that ``has_exits`` tells of."""
        if self._connection is None:
            raise ZygoteDied("the zygote was not started")
        return self._connection.fileno()

    @property
    def has_exits(self) -> bool:
        """Whether ``poll`` has something that came while another child was forked.

        It has been read, so ``fileno`` does not tell of it.
        """
        return bool(self._exits)

    def fork(self, kind: str, payload: bytes, fds: Sequence[int] = ()) -> int:
        """Fork one child and return its pid. *fds* stay open here; the caller closes them.

        Raises:
            ZygoteDied: there is no zygote to ask.
            ForkFailed: the system has no room for another process.
        """
        self._send({"type": "fork", "kind": kind, "payload": payload}, fds)
        timeout_s = FORK_TIMEOUT_S if self._has_forked else START_TIMEOUT_S
        deadline = time.monotonic() + timeout_s
        while not self._forked:
            wait_s = deadline - time.monotonic()
            if wait_s <= 0:
                raise ZygoteDied(f"the zygote did not answer within {timeout_s:g} s")
            select.select([self.fileno()], [], [], wait_s)
            self._read()
        pid, error = self._forked.pop(0)
        self._has_forked = True
        if not pid:
            raise ForkFailed(f"cannot start another process: {error}")
        return pid

    def signal(self, pid: int, number: int, *, to_group: bool = False) -> None:
        """Send a signal to a child (or its group); nothing happens if it has ended.

        Raises:
            ZygoteDied: there is no zygote to ask.
        """
        self._send({"type": "signal", "pid": pid, "number": int(number), "to_group": to_group})

    def poll(self) -> list[tuple[int, int]]:
        """Return ``(pid, wait status)`` of children that ended since the last call.

        Raises:
            ZygoteDied: the zygote is gone; its children die with it.
        """
        self._read()
        exits, self._exits = self._exits, []
        return exits

    def stop(self) -> None:
        """Let the zygote end; its children are killed by the kernel. Waits for it briefly."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        self._reader = None
        self._exits.clear()
        if self._process is not None:
            try:
                self._process.wait(timeout=2)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def _send(self, message: Mapping[str, object], fds: Sequence[int] = ()) -> None:
        if self._connection is None:
            raise ZygoteDied("the zygote was not started")
        self._connection.setblocking(True)
        try:
            frames.send(self._connection, _encode(message), fds)
        except frames.ConnectionLost as error:
            raise ZygoteDied("the zygote has ended") from error
        finally:
            self._connection.setblocking(False)

    def _read(self) -> None:
        if self._reader is None:
            raise ZygoteDied("the zygote was not started")
        for message in self._reader.read():
            report = _decode(message)
            if report["type"] == "exited":
                self._exits.append((report["pid"], report["status"]))
            else:
                self._forked.append((report["pid"], report.get("error", "")))
        if self._reader.is_closed and not self._exits and not self._forked:
            raise ZygoteDied("the zygote has ended")


def describe_exit(status: int) -> tuple[int | None, int | None]:
    """Split a wait status into ``(exit code, signal)``; exactly one of both is None."""
    if os.WIFSIGNALED(status):
        return None, os.WTERMSIG(status)
    return os.WEXITSTATUS(status), None
