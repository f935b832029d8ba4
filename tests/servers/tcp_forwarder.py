"""A network that can be cut: forwards TCP to one address until it is told to lose everything."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections.abc import Callable

CHUNK_BYTES = 65536


class TcpForwarder:
    """Listens on a free port. While it is cut, nothing passes and nobody is told.

    A cut loses what is under way, as a cable does: neither side hears of the other's end, and
    new connections are accepted by nobody who answers. ``heal`` closes what was cut.
    """

    def __init__(self, host: str, port: int) -> None:
        """Args: host, port: where to forward to."""
        self._target = (host, port)
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._is_cut = self._is_deaf = False
        self._is_over = False
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._selector = selectors.DefaultSelector()
        self._wake, self._waker = socket.socketpair()
        self._selector.register(self._server, selectors.EVENT_READ, self._accept)
        self._selector.register(self._wake, selectors.EVENT_READ, lambda: self._wake.recv(64))
        self._orders: list[Callable[[], None]] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def cut(self) -> None:
        """Lose everything from now on."""
        self._tell(lambda: setattr(self, "_is_cut", True))

    def lose_answers(self) -> None:
        """From now on what clients send arrives, and what they are answered does not."""
        self._tell(lambda: setattr(self, "_is_deaf", True))

    def heal(self) -> None:
        """Forward again; connections of before are reset."""

        def restore() -> None:
            self._is_cut = self._is_deaf = False
            for pair in list(self._pairs):
                self._end(pair)

        self._tell(restore)

    def close(self) -> None:
        """Stop forwarding."""
        self._tell(lambda: setattr(self, "_is_over", True))
        self._thread.join()
        for pair in list(self._pairs):
            self._end(pair)
        self._server.close()

    def _tell(self, order: Callable[[], None]) -> None:
        self._orders.append(order)
        self._waker.send(b"!")

    def _run(self) -> None:
        while not self._is_over:
            for key, _ in self._selector.select(1.0):
                key.data()
            while self._orders:
                self._orders.pop(0)()

    def _accept(self) -> None:
        near, _ = self._server.accept()
        far = socket.create_connection(self._target)
        pair = (near, far)
        self._pairs.append(pair)
        for source, sink in (pair, pair[::-1]):
            self._selector.register(
                source, selectors.EVENT_READ, lambda s=source, t=sink: self._pass(pair, s, t)
            )

    def _pass(
        self, pair: tuple[socket.socket, socket.socket], source: socket.socket, sink: socket.socket
    ) -> None:
        try:
            read = source.recv(CHUNK_BYTES)
            is_answer = source is pair[1]
            if read and not self._is_cut and not (is_answer and self._is_deaf):
                sink.sendall(read)
        except OSError:
            read = b""
        if not read:
            if self._is_cut:
                self._selector.unregister(source)  # the other side is not told
            else:
                self._end(pair)

    def _end(self, pair: tuple[socket.socket, socket.socket]) -> None:
        if pair in self._pairs:
            self._pairs.remove(pair)
        for one in pair:
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(one)
            one.close()
