"""The runner's end of a process that a task has forked: it may ask, as its task may.

Users hand work to pools of processes (``multiprocessing``, ``concurrent.futures``) that look up
connections, each for itself.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from ..task import frames, protocol
from .log_files import TaskLog

#: So many of one task are heard at once: each costs the runner a descriptor.
FORKED_MAX = 128
_Message = protocol.Ask | protocol.Join


@dataclass(slots=True, eq=False)
class ForkedAsker:
    """One such process. What it says besides its questions has no effect on the try."""

    log: TaskLog
    nonce: bytes
    connection: socket.socket
    reader: frames.FrameReader

    @classmethod
    def open(cls, descriptor: int, *, log: TaskLog, nonce: bytes) -> ForkedAsker:
        """Take over a socket that arrived with a ``Join``."""
        connection = socket.socket(fileno=descriptor)
        connection.setblocking(False)
        return cls(log, nonce, connection, frames.FrameReader(connection, takes_fds=True))

    def read_messages(self) -> Sequence[_Message]:
        """Return what it asks; one that writes junk is heard no more."""
        messages: list[_Message] = []
        try:
            for frame in self.reader.read():
                if not frame.startswith(self.nonce):
                    raise frames.FrameTooLong("a frame without its mark")
                message = protocol.decode_task_message(frame[protocol.NONCE_BYTES :])
                if isinstance(message, protocol.Mask):
                    self.log.mask(message.values)
                elif isinstance(message, _Message):
                    messages.append(message)
        except (frames.FrameTooLong, msgspec.MsgspecError):
            self.reader.is_closed = True
        return messages

    def send(self, answer: protocol.Answer) -> None:
        """Answer it. It waits for this, so its socket has room or it is gone."""
        frames.send_answer(self.connection, protocol.encode(answer))

    def close(self) -> None:
        """Close our end; what it forked and nobody has heard yet goes with it."""
        close_all(self.reader.fds)
        self.connection.close()


def close_all(descriptors: list[int]) -> None:
    """Close *descriptors*, and empty the list."""
    while descriptors:
        os.close(descriptors.pop())
