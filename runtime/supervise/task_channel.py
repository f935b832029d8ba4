"""The runner's ends of one task: its socket, its output, its log, and what is known of its end.

A task is over only when its exit status is in and everything it wrote has been read: result,
end of output and exit arrive in any order.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass, field

import msgspec

from ..task import frames, protocol
from ..task.task_spec import TaskResult
from .forked_asker import ForkedAsker, close_all
from .log_files import TaskLog
from .processes import TaskEnded, TaskOrder

_OUTPUT_BYTES = 65536
#: Read from one task in one turn at most: a task that shouts must not make others wait.
TURN_BYTES_MAX = 512 * 1024
#: How long to wait for the end of output after the exit: a process may still hold the pipe.
OUTPUT_GRACE_S = 5.0


@dataclass(slots=True)
class ChildEnds:
    """What the task process gets: its socket, the write end of its output, and its nonce."""

    connection: socket.socket
    output: int

    def close(self) -> None:
        """Close this process's copies."""
        self.connection.close()
        os.close(self.output)


@dataclass(slots=True)
class TaskChannel:
    """One started task."""

    order: TaskOrder
    log: TaskLog
    connection: socket.socket
    output: int
    nonce: bytes
    reader: frames.FrameReader
    result: TaskResult | None = None
    error: str = ""
    pid: int | None = None
    status: int | None = None
    has_exited: bool = False
    #: It has ended well but for what the kernel has to do (``protocol.Leaving``).
    is_leaving: bool = False
    is_host_lost: bool = False
    is_output_at_end: bool = False
    output_due: float = 0.0
    code_hash: str = ""
    #: Processes that the task forked, and that may ask.
    forked: list[ForkedAsker] = field(default_factory=list)

    @classmethod
    def open(cls, order: TaskOrder, log: TaskLog) -> tuple[TaskChannel, ChildEnds]:
        """Make both ends of a task's socket and output."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        read_end, write_end = os.pipe2(os.O_CLOEXEC)
        ours.setblocking(False)
        os.set_blocking(read_end, False)
        channel = cls(
            order=order,
            log=log,
            connection=ours,
            output=read_end,
            nonce=os.urandom(protocol.NONCE_BYTES),
            reader=frames.FrameReader(ours, takes_fds=True),
        )
        return channel, ChildEnds(theirs, write_end)

    @property
    def is_over(self) -> bool:
        """Whether nothing more can come."""
        return (self.has_exited or self.is_leaving) and self.is_output_at_end

    def read_messages(self) -> list[protocol.TaskMessage]:
        """Return what the task asks or tells; its result is kept here.

        Junk is an error of this attempt alone, and nothing more is read from it.
        """
        if self.error:
            return []
        messages: list[protocol.TaskMessage] = []
        try:
            for frame in self.reader.read():
                if not frame.startswith(self.nonce):
                    raise frames.FrameTooLong("a frame without its mark")
                message = protocol.decode_task_message(frame[protocol.NONCE_BYTES :])
                if isinstance(message, protocol.Result):
                    self.result = message.result
                    self.code_hash = message.result.code_hash or self.code_hash
                elif isinstance(message, protocol.Leaving):
                    self._note_leaving(message.exit_code)
                elif isinstance(message, protocol.Mask):
                    self.log.mask(message.values)
                else:
                    messages.append(message)
        except (frames.FrameTooLong, msgspec.MsgspecError) as error:
            self.error = f"protocol error: the task wrote junk into the runner's socket ({error})"
        return messages

    def _note_leaving(self, exit_code: int) -> None:
        # A failure waits for the exit: its next try must not begin while this one exists.
        if exit_code == 0 and self.result is not None and self.result.outcome == "success":
            self.is_leaving = True
            self.status = 0

    def read_output(self, *, to_the_end: bool = False) -> None:
        """Move what the task wrote into its log.

        Args:
            to_the_end: the task has exited; read all that is there, not only a turn's share.
        """
        left = TURN_BYTES_MAX
        while not self.is_output_at_end and (left > 0 or to_the_end):
            try:
                data = os.read(self.output, _OUTPUT_BYTES)
            except BlockingIOError:
                return
            if not data:
                self.is_output_at_end = True
                return
            left -= len(data)
            self.log.feed(data)
            if len(data) < 4096 and not to_the_end:
                return  # most likely all; if not, the selector says so again

    def send(self, answer: protocol.Answer) -> None:
        """Answer the task. It waits for this, so its socket has room or it is gone."""
        frames.send_answer(self.connection, protocol.encode(answer))

    def close(self) -> None:
        """Close our ends."""
        close_all(self.reader.fds)
        self.connection.close()
        os.close(self.output)

    def end(
        self, *, exit_code: int | None, signal: int | None, is_out_of_memory: bool
    ) -> TaskEnded:
        """Return the event that tells of this task's end."""
        return TaskEnded(
            key=self.order.key,
            result=self.result,
            exit_code=exit_code,
            signal=signal,
            error=self.error,
            is_host_lost=self.is_host_lost,
            is_out_of_memory=is_out_of_memory,
            last_lines=self.log.last_lines(),
            code_hash=self.code_hash,
            pid=self.pid,
        )
