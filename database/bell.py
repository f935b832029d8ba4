"""Bells: how one process wakes another at once. A hint only; whoever misses it sweeps later.

A bell is a Unix datagram socket in ``{home}/run/``, named "NAME.PID.sock". Ringing sends one byte
to every listener of that name, and removes sockets that nobody holds any more.
"""

from __future__ import annotations

import contextlib
import os
import socket
from pathlib import Path
from typing import Protocol

#: A path longer than this is refused by the kernel (108 bytes on Linux, 104 on macOS).
_PATH_MAX = 100


class Bell:
    """Rings the listeners of one home. Safe to use from several threads."""

    def __init__(self, home: Path | None) -> None:
        """*home* None: nobody is ever rung."""
        self._folder = None if home is None else bell_folder(home)
        self._socket: socket.socket | None = None
        self._pid = 0

    def ring(self, *names: str) -> None:
        """Wake who listens for these ("scheduler", "runner", "parser", "web"). Never fails."""
        for name in names:
            self._ring_one(name)

    def _ring_one(self, name: str) -> None:
        if self._folder is None:
            return
        try:
            addresses = [
                entry.path
                for entry in os.scandir(self._folder)
                if entry.name.startswith(f"{name}.") and entry.name.endswith(".sock")
            ]
        except OSError:
            return
        for address in addresses:
            try:
                self._sender().sendto(b"!", address)
            except (BlockingIOError, InterruptedError):
                continue  # it has unread rings already
            except (ConnectionRefusedError, FileNotFoundError):
                with contextlib.suppress(OSError):
                    Path(address).unlink()
            except OSError:
                continue

    def _sender(self) -> socket.socket:
        if self._socket is None or self._pid != os.getpid():
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            self._socket.setblocking(False)
            self._pid = os.getpid()
        return self._socket

    def close(self) -> None:
        """Let go of the socket."""
        if self._socket is not None and self._pid == os.getpid():
            self._socket.close()
        self._socket = None


class BellListener(Protocol):
    """What hears a bell. Give it to a selector, and call ``drain()`` after each wait."""

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when somebody rings."""

    def drain(self) -> int:
        """Take all rings that have come in, and return how many."""

    def close(self) -> None:
        """Stop listening."""


class Listener:
    """Hears one bell. Give ``fileno()`` to a selector, then ``drain()``."""

    def __init__(self, home: Path, name: str) -> None:
        """Start to listen.

        Raises:
            OSError: the home folder cannot be written to.
        """
        folder = bell_folder(home)
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{name}.{os.getpid()}.{id(self):x}.sock"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.setblocking(False)
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()
        self._socket.bind(str(self.path))
        self.path.chmod(0o600)

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when somebody rings."""
        return self._socket.fileno()

    def drain(self) -> int:
        """Take all rings that have come in, and return how many."""
        count = 0
        while True:
            try:
                self._socket.recv(16)
            except (BlockingIOError, InterruptedError):
                return count
            count += 1

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()
        with contextlib.suppress(OSError):
            self.path.unlink()


def bell_folder(home: Path) -> Path:
    """Return the folder of a home's bells: inside it, or in a short place if its path is long."""
    inside = home / "run"
    if len(os.fsencode(inside)) + 40 <= _PATH_MAX:
        return inside
    import hashlib
    import tempfile

    digest = hashlib.sha256(os.fsencode(home.absolute())).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"tradewind-{os.getuid()}-{digest}"
