"""Where forwarders of messages tell a runner what it may claim, and hear whether it has.

A Unix socket in the run folder. A forwarder connects, says which task instance a message named,
and waits: the answer comes when the runner holds the claim, or knows that there is nothing to be
claimed. While the runner is full it says nothing; whoever does not want to wait hangs up. One
connection may stay to take what the runner has queued for others. One JSON object a line.
"""

from __future__ import annotations

import contextlib
import json
import logging
import selectors
import socket
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...database.values import Claim, ClaimRequest

if TYPE_CHECKING:
    from ...database.attempts import AttemptOperations

log = logging.getLogger(__name__)

#: Who says more in one line than this is no forwarder of ours.
LINE_BYTES_MAX = 64 * 1024

HELD, GONE, BUSY = "held", "gone", "busy"


class HintDesk:
    """The runner's end. Give ``fileno()`` to a selector, then ``drain()``. Never waits."""

    def __init__(self, path: Path) -> None:
        """Listen at *path*; what an earlier runner left there is removed.

        Raises:
            OSError: the run folder cannot be written to.
        """
        self._path = path
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        self._listener.setblocking(False)
        self._listener.bind(str(path))
        path.chmod(0o600)
        self._listener.listen(64)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._partial: dict[socket.socket, bytes] = {}
        self._asked: dict[socket.socket, int] = {}
        self._takers: list[socket.socket] = []
        self._queues: tuple[str, ...] | None = None

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when somebody says something."""
        return self._selector.fileno()

    def drain(self) -> int:
        """Hear everybody who has said something; return how many."""
        heard = self._selector.select(0)
        for key, _mask in heard:
            if key.fileobj is self._listener:
                self._accept()
            else:
                self._hear(key.fileobj)  # type: ignore[arg-type]
        return len(heard)

    def wanted(self) -> list[int]:
        """Return the task instances that forwarders wait for."""
        return list(dict.fromkeys(self._asked.values()))

    def answer(self, task_instance_ids: Collection[int], word: str) -> None:
        """Say ``HELD``, ``GONE`` or ``BUSY`` to all who wait for these task instances."""
        told = [line for line, wanted in self._asked.items() if wanted in task_instance_ids]
        for line in told:
            self._say(line, {"answer": word})
            self._forget(line)

    def claim(
        self, attempts: AttemptOperations, request: ClaimRequest | None, now: datetime
    ) -> list[Claim]:
        """Claim what forwarders wait for, and answer them.

        Args:
            request: for as many as there is room; None: this runner takes nothing any more.
        """
        wanted = self.wanted()
        if not wanted:
            return []
        if request is None:
            self.answer(wanted, BUSY)
            return []
        if request.limit <= 0:
            return []  # full: they wait, or hang up
        claims = attempts.claim(replace(request, task_instance_ids=tuple(wanted)), now)
        held = {claim.task_instance_id for claim in claims}
        self.answer(held, HELD)
        if len(claims) < request.limit:  # there was room for all: the rest was not to be had
            self.answer(set(wanted) - held, GONE)
        return claims

    def pass_on(
        self, hints: Mapping[str, Sequence[tuple[int, int, str]]], names: Collection[str]
    ) -> None:
        """Hand on what was queued for other workers of this executor.

        Nobody there to take it: the scheduler's sweep finds it.

        Args:
            hints: by the executor's name; each is task instance id, epoch, queue.
            names: what rows call this executor.
        """
        batch = [list(hint) for name in names for hint in hints.get(name, ())]
        for taker in list(self._takers) if batch else []:
            if self._say(taker, {"hints": batch}):
                return
            self._forget(taker)

    def queues(self) -> tuple[str, ...] | None:
        """Return the queues that the forwarders listen to, None while nobody has said."""
        return self._queues

    def close(self) -> None:
        """Hang up."""
        for line in list(self._partial):
            self._forget(line)
        self._selector.close()
        self._listener.close()
        with contextlib.suppress(OSError):
            self._path.unlink()

    def _accept(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:  # no descriptors left: it will ask again
                log.warning("a forwarder cannot be heard", extra={"error": str(error)})
                return
            line.setblocking(False)
            self._partial[line] = b""
            self._selector.register(line, selectors.EVENT_READ)
            self._hear(line)

    def _hear(self, line: socket.socket) -> None:
        try:
            data = line.recv(LINE_BYTES_MAX)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data or len(self._partial[line]) + len(data) > LINE_BYTES_MAX:
            self._forget(line)
            return
        *lines, self._partial[line] = (self._partial[line] + data).split(b"\n")
        for text in lines:
            try:
                self._take(line, json.loads(text))
            except (ValueError, TypeError, KeyError):
                self._forget(line)
                return

    def _take(self, line: socket.socket, said: dict[str, Any]) -> None:
        if "ask" in said:
            self._asked[line] = int(said["ask"])
        if "queues" in said:
            self._queues = tuple(str(queue) for queue in said["queues"])
            if line not in self._takers:
                self._takers.append(line)

    def _say(self, line: socket.socket, what: dict[str, Any]) -> bool:
        try:
            line.sendall(json.dumps(what).encode() + b"\n")
        except OSError:  # gone, or so far behind that it may be
            return False
        return True

    def _forget(self, line: socket.socket) -> None:
        self._asked.pop(line, None)
        if self._partial.pop(line, None) is not None:
            self._selector.unregister(line)
        if line in self._takers:
            self._takers.remove(line)
        line.close()


def ask_runner(path: Path, task_instance_id: int, wait_s: float) -> str:
    """Ask the runner behind *path* to claim; return ``HELD``, ``GONE`` or ``BUSY``.

    ``BUSY``: it had no room for *wait_s* seconds, or is not there at the moment.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(wait_s)
        try:
            line.connect(str(path))
            line.sendall(json.dumps({"ask": task_instance_id}).encode() + b"\n")
            said = json.loads(_read_line(line))
        except (OSError, ValueError):
            return BUSY
    answer = said.get("answer")
    return answer if answer in (HELD, GONE) else BUSY


def _read_line(line: socket.socket) -> bytes:
    data = b""
    while not data.endswith(b"\n"):
        part = line.recv(4096)
        if not part:
            raise ConnectionError("the runner hung up")
        data += part
    return data
