"""The parser children at work: started, listened to, limited, and judged when they end.

Time and memory are watched from here, because code that holds the interpreter cannot be
interrupted from within. Memory is the resident size: address space says little about cost.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from ..runtime.supervise.task_environment import without_secrets
from ..runtime.supervise.zygote_client import ForkFailed, ZygoteClient, ZygoteDied, describe_exit
from ..runtime.task import frames
from ..runtime.task.parse_messages import ParseAnswer, ParseRequest
from ..sdk.clock import Clock

#: How often memory is looked at while children run.
CHECK_INTERVAL_S = 0.05
#: A zygote that has nothing to fork for so long gives its memory back; another takes 0.3 s.
REST_AFTER_S = 30.0
OUTPUT_BYTES_MAX = 256 * 1024
OUTPUT_TAIL_LETTERS = 2000

_KILLED_THE_ZYGOTE = (
    "importing it ended the process that all files are imported from (its parent), twice"
)

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(ParseAnswer).decode

#: Answers one frame of a child's request (a Variable, a Connection) with the reply's frame; None
#: for a message that wants no answer.
Answerer = Callable[[bytes], bytes | None]
#: A child that asks and does not read the answer is not waited for any longer.
_REPLY_TIMEOUT_S = 1.0


@dataclass(frozen=True, slots=True)
class ParseLimits:
    """What one parser child may use."""

    time_s: float = 50.0
    memory_bytes: int = 1024 * 1024 * 1024


@dataclass(slots=True)
class FinishedParse:
    """One child has ended. ``answer`` is None where it gave none; ``failure`` then says why.

    ``is_ours``: the failure is not the file's fault (the zygote died); it is to be tried again.
    """

    request: ParseRequest
    answer: ParseAnswer | None
    failure: str
    duration_s: float
    output: str
    is_ours: bool = False


@dataclass(slots=True)
class _Child:
    request: ParseRequest
    pid: int
    started_s: float
    requests: socket.socket
    answer: socket.socket
    output_fd: int
    request_reader: frames.FrameReader
    answer_reader: frames.FrameReader
    output: bytearray = field(default_factory=bytearray)
    answered: ParseAnswer | None = None
    killed_because: str = ""


def make_zygote() -> ZygoteClient:
    """Start the zygote of parser children; it holds no setting that is a secret."""
    zygote = ZygoteClient(without_secrets(os.environ))
    zygote.start()
    return zygote


class ParseChildren:
    """At most a few parser children, each on one file."""

    def __init__(
        self, zygote: ZygoteClient, clock: Clock, answer: Answerer, limits: ParseLimits
    ) -> None:
        self._zygote = zygote
        self._clock = clock
        self._answer = answer
        self._limits = limits
        self._selector = selectors.DefaultSelector()
        self._children: dict[int, _Child] = {}
        self._finished: list[FinishedParse] = []
        self._is_resting = True
        self._busy_until_s = 0.0
        self._next_check_s = 0.0
        #: Files that were being imported when a zygote died. The next time each is imported
        #: alone: if the zygote dies again, the file has killed it.
        self._suspects: set[str] = set()

    def start(self) -> None:
        """Start the zygote, unless the caller has done so already to save time."""
        if self._zygote.pid is None:
            self._zygote.start()
        self._selector.register(self._zygote.fileno(), selectors.EVENT_READ)
        self._is_resting = False
        self._busy_until_s = self._clock.monotonic() + REST_AFTER_S

    def watch(self, fd: int) -> None:
        """Let ``wait`` return when *fd* becomes readable."""
        self._selector.register(fd, selectors.EVENT_READ)

    def is_suspect(self, relative_path: str) -> bool:
        """Tell whether nothing else may be imported beside a file."""
        return relative_path in self._suspects

    def running(self) -> list[str]:
        """Return the relative paths that are being parsed."""
        return [child.request.relative_path for child in self._children.values()]

    def fork(self, request: ParseRequest) -> None:
        """Start one child. Where the system refuses, the file comes back to be tried again."""
        ours_requests, theirs_requests = socket.socketpair()
        ours_answer, theirs_answer = socket.socketpair()
        output_read, output_write = os.pipe()
        self._busy_until_s = self._clock.monotonic() + REST_AFTER_S
        try:
            if self._is_resting:
                self.start()
            pid = self._zygote.fork(
                "parse",
                _encode(request),
                [theirs_requests.fileno(), theirs_answer.fileno(), output_write],
            )
        except (ForkFailed, ZygoteDied) as error:
            ours_requests.close()
            ours_answer.close()
            os.close(output_read)
            asked = FinishedParse(request, None, str(error), 0.0, "", is_ours=True)
            self._finished.append(asked)
            if isinstance(error, ZygoteDied):
                self._replace_zygote(str(error), asked)
            return
        finally:
            theirs_requests.close()
            theirs_answer.close()
            os.close(output_write)
        for connection in (ours_requests, ours_answer):
            connection.setblocking(False)
        os.set_blocking(output_read, False)
        child = _Child(
            request=request,
            pid=pid,
            started_s=self._clock.monotonic(),
            requests=ours_requests,
            answer=ours_answer,
            output_fd=output_read,
            request_reader=frames.FrameReader(ours_requests),
            answer_reader=frames.FrameReader(ours_answer),
        )
        self._children[pid] = child
        for fd in (ours_requests.fileno(), ours_answer.fileno(), output_read):
            self._selector.register(fd, selectors.EVENT_READ, child)

    def wait(self, timeout_s: float) -> list[FinishedParse]:
        """Wait for something to happen; return the children that have ended."""
        if self._children:
            timeout_s = min(timeout_s, CHECK_INTERVAL_S)
        for key, _events in self._selector.select(max(0.0, timeout_s)):
            if isinstance(key.data, _Child):
                self._listen(key.data)
        self._check_limits()
        self._rest_if_idle()
        try:
            exits = [] if self._is_resting else self._zygote.poll()
        except ZygoteDied as error:
            exits = []
            self._replace_zygote(str(error))
        for pid, status in exits:
            child = self._children.pop(pid, None)
            if child is not None:
                self._finish(child, status)
        finished, self._finished = self._finished, []
        return finished

    def stop(self) -> None:
        """Kill what runs, and the zygote."""
        for child in list(self._children.values()):
            self._kill(child, "the parse manager stops")
        self._zygote.stop()

    def _rest_if_idle(self) -> None:
        if self._is_resting or self._children:
            return
        if self._clock.monotonic() > self._busy_until_s:
            self._unregister(self._zygote.fileno())
            self._zygote.stop()
            self._is_resting = True

    def _listen(self, child: _Child) -> None:
        try:
            for message in child.request_reader.read():
                self._reply(child, self._answer(message))
            for message in child.answer_reader.read():
                child.answered = _decode(message)
        except (frames.FrameTooLong, msgspec.MsgspecError) as error:
            self._kill(child, f"what the process sent cannot be understood ({error})")
        if child.request_reader.is_closed or child.answer_reader.is_closed:
            self._forget_closed(child)
        with contextlib.suppress(BlockingIOError):
            data = os.read(child.output_fd, 65536)
            if not data:
                self._unregister(child.output_fd)
            child.output += data[: max(0, OUTPUT_BYTES_MAX - len(child.output))]

    def _reply(self, child: _Child, reply: bytes | None) -> None:
        if reply is None:
            return
        child.requests.settimeout(_REPLY_TIMEOUT_S)
        with contextlib.suppress(frames.ConnectionLost, TimeoutError):
            frames.send(child.requests, reply)
        child.requests.setblocking(False)

    def _forget_closed(self, child: _Child) -> None:
        if child.request_reader.is_closed:
            self._unregister(child.requests.fileno())
        if child.answer_reader.is_closed:
            self._unregister(child.answer.fileno())

    def _unregister(self, fd: int) -> None:
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(fd)

    def _check_limits(self) -> None:
        now_s = self._clock.monotonic()
        if now_s < self._next_check_s:
            return
        self._next_check_s = now_s + CHECK_INTERVAL_S / 2
        for child in self._children.values():
            if child.killed_because:
                continue
            # Memory first: a machine that is short of it is slow, and that is why.
            if resident_bytes(child.pid) > self._limits.memory_bytes:
                self._kill(
                    child,
                    "importing it used more than"
                    f" {self._limits.memory_bytes // (1024 * 1024)} MB of memory and was stopped"
                    " (setting [dag_processor] parsing_memory_mb)",
                )
            elif now_s - child.started_s > self._limits.time_s:
                self._kill(
                    child,
                    f"parsing took longer than {self._limits.time_s:g} s and was stopped"
                    " (setting [dag_processor] dag_file_processor_timeout)",
                )

    def _kill(self, child: _Child, reason: str) -> None:
        child.killed_because = child.killed_because or reason
        with contextlib.suppress(ZygoteDied):
            self._zygote.signal(child.pid, signal.SIGKILL, to_group=True)
            self._zygote.signal(child.pid, signal.SIGKILL)

    def _finish(self, child: _Child, status: int) -> None:
        self._listen(child)
        for fd in (child.requests.fileno(), child.answer.fileno(), child.output_fd):
            self._unregister(fd)
        child.requests.close()
        child.answer.close()
        os.close(child.output_fd)
        output = child.output.decode(errors="replace")
        self._suspects.discard(child.request.relative_path)
        is_answered = child.answered is not None and not child.killed_because
        self._finished.append(
            FinishedParse(
                request=child.request,
                answer=child.answered if is_answered else None,
                failure="" if is_answered else _describe_failure(child, status, output),
                duration_s=self._clock.monotonic() - child.started_s,
                output=output,
            )
        )

    def _replace_zygote(self, reason: str, asked: FinishedParse | None = None) -> None:
        """The zygote took its children with it: hand their files back, and start another.

        Args:
            asked: the file it was asked to fork for when it died. Its child may have been there
                already, and have killed it before it could tell.
        """
        lost = [] if asked is None else [asked]
        paths = {child.request.relative_path for child in self._children.values()}
        paths |= {finished.request.relative_path for finished in lost}
        has_killed = len(paths) == 1 and paths <= self._suspects
        for child in list(self._children.values()):
            self._finish(child, signal.SIGKILL)
            lost.append(self._finished[-1])
        for finished in lost:
            # A zygote takes its time to die: the child that killed it may have answered by then.
            finished.answer = None
            finished.is_ours = not has_killed
            finished.failure = _KILLED_THE_ZYGOTE if has_killed else reason
        self._suspects = self._suspects - paths if has_killed else self._suspects | paths
        self._children.clear()
        self._unregister(self._zygote.fileno())
        self._zygote.stop()
        self.start()


def _describe_failure(child: _Child, status: int, output: str) -> str:
    if child.killed_because:
        said = child.killed_because
    else:
        code, number = describe_exit(status)
        if number is not None:
            said = f"the process that imported it was ended by signal {_signal_name(number)}"
        else:
            said = (
                f"it ended the process that imported it with exit code {code},"
                " before the import was done"
            )
    tail = output.strip()[-OUTPUT_TAIL_LETTERS:]
    return f"{said}\nLast output:\n{tail}" if tail else said


def _signal_name(number: int) -> str:
    try:
        return f"{number} ({signal.Signals(number).name})"
    except ValueError:
        return str(number)


def resident_bytes(pid: int) -> int:
    """Return how much memory a process holds, 0 where that cannot be seen."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES
    except (OSError, ValueError, IndexError):
        return 0
