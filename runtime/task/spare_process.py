"""A task process that was forked before its order came, so that no task waits for a fork.

A fork costs a millisecond, and what a fresh process touches first is copied page by page for as
long again. A spare has all of it behind it when the order arrives. Its host keeps one while
orders keep coming, and lets it go when they stop: an idle host costs no more memory for it.
"""

from __future__ import annotations

import contextlib
import select
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from . import frames
from .rehearsal import rehearse

#: A spare that no order came for is let go after so many seconds.
IDLE_MAX_S = 5.0


@dataclass(frozen=True, slots=True)
class SpareProcess:
    """The host's end of a spare."""

    pid: int
    connection: socket.socket

    def take(self, message: bytes, fds: Sequence[int]) -> bool:
        """Hand an order over. False: it died meanwhile, and the order is still the host's."""
        try:
            frames.send(self.connection, message, fds)
        except (frames.ConnectionLost, OSError):
            return False
        else:
            return True

    def close(self) -> None:
        """Let it go: it ends at end-of-file."""
        self.connection.close()


def wait_for_order(connection: socket.socket, *, rehearses: bool) -> tuple[bytes, list[int]] | None:
    """Wait in the spare for its order; None: its host lets it go.

    Args:
        rehearses: run a task that does nothing meanwhile. What it writes to is not shared with
            the host any more, and that has to happen only once.
    """
    if rehearses and not select.select([connection], [], [], 0)[0]:
        with contextlib.suppress(Exception):  # the task itself will meet what is wrong, and tell
            rehearse()
    try:
        return frames.receive(connection)
    except frames.ConnectionLost:
        return None
    finally:
        connection.close()
