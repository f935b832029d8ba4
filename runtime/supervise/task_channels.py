"""The channels of all tasks that run: heard, read to the end, and closed with the task's end.

How a task's process is started, signalled and reaped is ``os_processes.py``; here is what it says.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from ...sdk.clock import Clock
from ..task import protocol
from .descriptors import Descriptors
from .forked_asker import FORKED_MAX, ForkedAsker
from .log_files import TaskLog
from .out_of_memory import OutOfMemoryWatch
from .processes import Asked, Event, TaskEntered, TaskExecuting, TaskOrder
from .task_channel import OUTPUT_GRACE_S, ChildEnds, TaskChannel
from .zygote_client import describe_exit


class TaskChannels:
    """By the key of the attempt."""

    def __init__(
        self,
        descriptors: Descriptors,
        clock: Clock,
        tell: Callable[[Event], None],
        kill: Callable[[str], None],
    ) -> None:
        """Prepare.

        Args:
            tell: takes what happens.
            kill: ends the process of a task that writes what nobody can read.
        """
        self._descriptors = descriptors
        self._clock = clock
        self._tell = tell
        self._kill = kill
        self._channels: dict[str, TaskChannel] = {}
        self._lingering: list[TaskChannel] = []
        self._killed: set[str] = set()
        self._memory_watch = OutOfMemoryWatch()

    def open(self, order: TaskOrder, log: TaskLog) -> tuple[TaskChannel, ChildEnds]:
        """Make the channel of a task that is about to start, and the ends for its process.

        Raises:
            OSError: there are no more descriptors.
        """
        channel, ends = TaskChannel.open(order, log)
        self._channels[order.key] = channel
        self._descriptors.listen(channel.connection.fileno(), lambda: self._hear(channel))
        self._descriptors.listen(channel.output, lambda: self._hear_output(channel))
        return channel, ends

    def find(self, key: str) -> TaskChannel | None:
        """Return the channel of a task that has not ended."""
        return self._channels.get(key)

    def close(self, channel: TaskChannel) -> None:
        """Close the channel of a task that never began, or has ended."""
        self._channels.pop(channel.order.key, None)
        self._descriptors.forget(channel.connection.fileno())
        self._descriptors.forget(channel.output)
        for asker in list(channel.forked):
            self._part(channel, asker)
        channel.close()

    def note_killed(self, key: str) -> None:
        """Remember that it was us who killed a task: then it was not the kernel."""
        self._killed.add(key)

    def exited(self, channel: TaskChannel) -> None:
        """Read what is left. Without an end of output, someone still holds the pipe: wait."""
        channel.has_exited = True
        self._hear(channel)
        if channel.order.key not in self._channels:
            return
        channel.read_output(to_the_end=True)
        if channel.is_output_at_end:
            self._finish(channel)
        else:
            channel.output_due = self._clock.monotonic() + OUTPUT_GRACE_S
            self._lingering.append(channel)

    @property
    def is_any_lingering(self) -> bool:
        """Whether the output of a task that has exited is still held by somebody."""
        return bool(self._lingering)

    def give_up_output(self) -> None:
        """Finish those whose output has been held for too long."""
        now_s = self._clock.monotonic()
        for channel in list(self._lingering):
            if channel.output_due <= now_s:
                channel.log.note("A process that the task left behind still holds its output")
                self._finish(channel)

    def _hear(self, channel: TaskChannel) -> None:
        key = channel.order.key
        for message in channel.read_messages():
            if isinstance(message, protocol.Entered):
                self._tell(TaskEntered(key))
            elif isinstance(message, protocol.Executing):
                self._tell(TaskExecuting(key))
            elif isinstance(message, protocol.Ask):
                self._tell(Asked(channel, key, message.method, message.arguments))
            elif isinstance(message, protocol.Join):
                self._join(channel, channel.reader.fds)
        if channel.error and not channel.has_exited:
            self._kill(key)
        if channel.reader.is_closed or channel.error:
            self._descriptors.forget(channel.connection.fileno())
        if channel.is_over:
            self._finish(channel)

    def _join(self, channel: TaskChannel, arrived: list[int]) -> None:
        """Hear a process that the task, or one that it forked, is about to fork."""
        if not arrived:  # this process had no descriptor left for it
            return
        if len(channel.forked) >= FORKED_MAX:
            os.close(arrived.pop(0))
            return
        asker = ForkedAsker.open(arrived.pop(0), log=channel.log, nonce=channel.nonce)
        channel.forked.append(asker)
        self._descriptors.listen(
            asker.connection.fileno(), lambda: self._hear_forked(channel, asker)
        )

    def _hear_forked(self, channel: TaskChannel, asker: ForkedAsker) -> None:
        if asker not in channel.forked:  # both became readable at once, and the task has ended
            return
        for message in asker.read_messages():
            if isinstance(message, protocol.Join):
                self._join(channel, asker.reader.fds)
            else:
                self._tell(Asked(asker, channel.order.key, message.method, message.arguments))
        if asker.reader.is_closed:
            self._part(channel, asker)

    def _part(self, channel: TaskChannel, asker: ForkedAsker) -> None:
        channel.forked.remove(asker)
        self._descriptors.forget(asker.connection.fileno())
        asker.close()

    def _hear_output(self, channel: TaskChannel) -> None:
        # Its messages first: a secret is named there before it is printed here.
        self._hear(channel)
        if channel.order.key not in self._channels:
            return
        channel.read_output()
        if channel.is_output_at_end:
            self._descriptors.forget(channel.output)
            if channel.is_over:
                self._finish(channel)

    def _finish(self, channel: TaskChannel) -> None:
        key = channel.order.key
        if self._channels.pop(key, None) is None:
            return
        if channel in self._lingering:
            self._lingering.remove(channel)
        code = number = None
        if channel.status is not None:
            code, number = describe_exit(channel.status)
        is_out_of_memory = (
            number == signal.SIGKILL and key not in self._killed and self._memory_watch.has_killed()
        )
        self._killed.discard(key)
        self.close(channel)
        self._tell(channel.end(exit_code=code, signal=number, is_out_of_memory=is_out_of_memory))
