"""The callback children at work: started, listened to, limited, and buried.

They have a zygote of their own: it is started when the first callback is due and ends when none
has come for a while, and what callbacks do to it stops no parsing.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from ..runtime.supervise.log_files import TaskLog
from ..runtime.supervise.outages import DATABASE_AWAY
from ..runtime.supervise.processes import Reply
from ..runtime.supervise.requests import RequestScope
from ..runtime.supervise.zygote_client import ForkFailed, ZygoteClient, ZygoteDied, describe_exit
from ..runtime.task import frames, protocol
from ..runtime.task.callback_messages import (
    CallbackOrder,
    CallbackReport,
    decode_message,
    encode,
)
from ..sdk.clock import Clock
from .parse_children import ParseLimits, resident_bytes

#: Without a callback for this long, their zygote is let go.
ZYGOTE_IDLE_S = 60.0
_READ_BYTES = 65536
#: A child that asks and does not read the answer is not waited for any longer.
_REPLY_TIMEOUT_S = 1.0

#: Answers what a callback asks for; raises ``DATABASE_AWAY`` where it is to be asked again.
Answerer = Callable[[protocol.Ask, RequestScope | None], Reply]


@dataclass(frozen=True, slots=True)
class EndedDelivery:
    """One child has ended. ``error`` empty: it called all callbacks.

    ``deadline_at``: or it called none, because they are to be called then.
    """

    message_id: int
    error: str = ""
    deadline_at: datetime | None = None


@dataclass(slots=True)
class _Child:
    message_id: int
    pid: int
    started_s: float
    connection: socket.socket
    output_fd: int
    reader: frames.FrameReader
    scope: RequestScope | None
    log: TaskLog
    asked: deque[protocol.Ask] = field(default_factory=deque)
    report: CallbackReport | None = None
    killed_because: str = ""


class CallbackChildren:
    """A few children, each with one message of the outbox."""

    def __init__(
        self,
        make_zygote: Callable[[], ZygoteClient],
        clock: Clock,
        answer: Answerer,
        *,
        journal_fd: int,
        limits: ParseLimits,
    ) -> None:
        """Args: make_zygote: returns one that was started."""
        self._make_zygote = make_zygote
        self._clock = clock
        self._answer = answer
        self._journal_fd = journal_fd
        self._limits = limits
        self._zygote: ZygoteClient | None = None
        self._idle_since_s = clock.monotonic()
        self._selector = selectors.DefaultSelector()
        self._children: dict[int, _Child] = {}
        self._ended: list[EndedDelivery] = []

    def fileno(self) -> int:
        """Readable when ``poll`` has something to do."""
        number: int = self._selector.fileno()
        return number

    def running(self) -> int:
        """Return how many children there are."""
        return len(self._children)

    def start(
        self, message_id: int, order: CallbackOrder, scope: RequestScope | None, log: TaskLog
    ) -> None:
        """Fork one child. Where that fails the next ``poll`` says so.

        Args:
            scope: the task instance in whose name it asks.
            log: takes what it says; closed by its owner when the delivery has ended.
        """
        ours, theirs = socket.socketpair()
        output_read, output_write = os.pipe()
        try:
            pid = self._running_zygote().fork(
                "callback", encode(order), [theirs.fileno(), output_write, self._journal_fd]
            )
        except (ForkFailed, ZygoteDied) as error:
            ours.close()
            os.close(output_read)
            self._ended.append(EndedDelivery(message_id, str(error)))
            if isinstance(error, ZygoteDied):
                self._bury_all(str(error))
            return
        finally:
            theirs.close()
            os.close(output_write)
        ours.setblocking(False)
        os.set_blocking(output_read, False)
        child = _Child(
            message_id=message_id,
            pid=pid,
            started_s=self._clock.monotonic(),
            connection=ours,
            output_fd=output_read,
            reader=frames.FrameReader(ours),
            scope=scope,
            log=log,
        )
        self._children[pid] = child
        for fd in (ours.fileno(), output_read):
            self._selector.register(fd, selectors.EVENT_READ, child)

    def poll(self) -> list[EndedDelivery]:
        """Listen to all children, keep their limits, and return what has ended. Never waits."""
        for key, _events in self._selector.select(0):
            if isinstance(key.data, _Child):
                self._listen(key.data)
        now_s = self._clock.monotonic()
        for child in self._children.values():
            self._answer_asked(child)
            self._limit(child, now_s)
        if self._zygote is not None:
            self._poll_zygote(self._zygote)
        if self._children:
            self._idle_since_s = now_s
        elif self._zygote is not None and now_s - self._idle_since_s > ZYGOTE_IDLE_S:
            self._stop_zygote()
        ended, self._ended = self._ended, []
        return ended

    def stop(self) -> None:
        """Kill what runs, and the zygote."""
        self._bury_all("the parse manager stops")
        self._selector.close()

    def _limit(self, child: _Child, now_s: float) -> None:
        if child.killed_because:
            return
        # Memory first: a machine that is short of it is slow, and that is why.
        if resident_bytes(child.pid) > self._limits.memory_bytes:
            self._kill(
                child,
                f"it used more than {self._limits.memory_bytes // (1024 * 1024)} MB of memory and"
                " was stopped (setting [dag_processor] parsing_memory_mb)",
            )
        elif now_s - child.started_s > self._limits.time_s:
            self._kill(
                child,
                f"it took longer than {self._limits.time_s:g} s and was stopped"
                " (setting [dag_processor] dag_file_processor_timeout)",
            )

    def _running_zygote(self) -> ZygoteClient:
        if self._zygote is None:
            self._zygote = self._make_zygote()
            self._selector.register(self._zygote.fileno(), selectors.EVENT_READ)
        return self._zygote

    def _stop_zygote(self) -> None:
        if self._zygote is not None:
            self._unregister(self._zygote.fileno())
            self._zygote.stop()
            self._zygote = None

    def _poll_zygote(self, zygote: ZygoteClient) -> None:
        try:
            exits = zygote.poll()
        except ZygoteDied as error:
            self._bury_all(str(error))
            return
        for pid, status in exits:
            child = self._children.pop(pid, None)
            if child is not None:
                self._bury(child, _describe_end(status))

    def _bury_all(self, reason: str) -> None:
        for child in self._children.values():
            with contextlib.suppress(ZygoteDied):
                self._kill(child, reason)
            self._bury(child, reason)
        self._children.clear()
        self._stop_zygote()

    def _bury(self, child: _Child, how: str) -> None:
        self._listen(child)
        for fd in (child.connection.fileno(), child.output_fd):
            self._unregister(fd)
        child.connection.close()
        os.close(child.output_fd)
        error = child.killed_because or how
        if child.report is not None:  # what came after it, such as a thread, is not awaited
            error = child.report.error
        at = None if child.report is None else child.report.deadline_at
        self._ended.append(EndedDelivery(child.message_id, error, at))

    def _listen(self, child: _Child) -> None:
        try:
            for frame in child.reader.read():
                self._take(child, decode_message(frame))
        except (frames.FrameTooLong, msgspec.MsgspecError) as error:
            self._kill(child, f"what it sent cannot be understood ({error})")
        if child.reader.is_closed:
            self._unregister(child.connection.fileno())
        with contextlib.suppress(BlockingIOError):
            while data := os.read(child.output_fd, _READ_BYTES):
                child.log.feed(data)
            self._unregister(child.output_fd)

    def _take(self, child: _Child, message: CallbackReport | protocol.Ask | protocol.Mask) -> None:
        if isinstance(message, protocol.Mask):
            child.log.mask(message.values)
        elif isinstance(message, protocol.Ask):
            child.asked.append(message)
        else:
            child.report = message

    def _answer_asked(self, child: _Child) -> None:
        while child.asked:
            try:
                reply = self._answer(child.asked[0], child.scope)
            except DATABASE_AWAY:
                return  # asked again by the next poll; its time runs
            child.asked.popleft()
            child.log.mask(reply.masked)
            child.connection.settimeout(_REPLY_TIMEOUT_S)
            with contextlib.suppress(frames.ConnectionLost, TimeoutError, OSError):
                answer = protocol.Answer(value=reply.value, error=reply.error)
                frames.send(child.connection, protocol.encode(answer))
            child.connection.setblocking(False)

    def _kill(self, child: _Child, reason: str) -> None:
        child.killed_because = child.killed_because or reason
        if self._zygote is not None:
            with contextlib.suppress(ZygoteDied):
                self._zygote.signal(child.pid, signal.SIGKILL, to_group=True)
                self._zygote.signal(child.pid, signal.SIGKILL)

    def _unregister(self, fd: int) -> None:
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(fd)


def _describe_end(status: int) -> str:
    code, number = describe_exit(status)
    if number is not None:
        return f"its process was ended by signal {number}"
    return f"its process ended with exit code {code} before all callbacks were called"
