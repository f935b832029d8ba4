"""The scheduler's own ``/health``, for whoever watches a container: 200 while it is at work.

Off unless ``[scheduler] enable_health_check`` says so. It opens no database: what it answers is
whether this process could write its sign of life there lately.
Source: ``docs/operations.md``, "Health".
"""

from __future__ import annotations

import json
import logging
import selectors
import socket
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any, Final

from .health_signs import SignsOfLife

log = logging.getLogger(__name__)

#: A client that is slower than this is not waited for.
CLIENT_TIMEOUT_S: Final = 5.0
#: An address that another program has is asked for again after so long: a scheduler that stands
#: by on the same machine follows the one whose place it takes.
BIND_AGAIN_S: Final = 5.0
STOP_TIMEOUT_S: Final = 1.0


class HealthServer:
    """Use as a context manager around the scheduler's loop; a thread of this process answers."""

    def __init__(
        self, signs: SignsOfLife, host: str, port: int, *, bind_again_s: float = BIND_AGAIN_S
    ) -> None:
        """Prepare; nothing listens before it is entered. Port 0: any that is free."""
        self._signs = signs
        self._host = host
        self._port = port
        self._bind_again_s = bind_again_s
        self._is_stopped = threading.Event()
        self._wake_read, self._wake_write = socket.socketpair()
        self._is_bound = threading.Event()
        self._bound_port: int | None = None
        self._thread = threading.Thread(target=self._serve, name="health", daemon=True)

    def __enter__(self) -> HealthServer:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._is_stopped.set()
        self._wake_write.close()  # what waits on the other end is woken
        self._thread.join(STOP_TIMEOUT_S)
        self._wake_read.close()

    def wait_for_port(self, timeout_s: float) -> int | None:
        """Return the port once it listens; None where it does not within *timeout_s* seconds."""
        self._is_bound.wait(timeout_s)
        return self._bound_port

    def _serve(self) -> None:
        server = self._bind()
        if server is None:
            return
        # Not serve_forever(): that looks several times a second whether it is to stop.
        with server, selectors.DefaultSelector() as selector:
            self._bound_port = int(server.server_address[1])
            self._is_bound.set()
            log.info("health is answered at http://%s:%d/health", self._host, self._bound_port)
            selector.register(server, selectors.EVENT_READ)
            selector.register(self._wake_read, selectors.EVENT_READ)
            while selector.select() and not self._is_stopped.is_set():
                server.handle_request()

    def _bind(self) -> _Server | None:
        """Return the server, listening; None when it was stopped before the address was free."""
        is_told = False
        while not self._is_stopped.is_set():
            try:
                return _listen(self._host, self._port, self._signs)
            except OSError as error:
                if not is_told:
                    is_told = True
                    log.warning(
                        "nobody can ask for the scheduler's health: %s:%d cannot be listened at"
                        " (%s); it is tried again until it can. Another address:"
                        " [scheduler] scheduler_health_check_server_host and _port",
                        self._host,
                        self._port,
                        error.strerror or error,
                    )
            self._is_stopped.wait(self._bind_again_s)
        return None


class _Server(ThreadingTCPServer):
    """Listens; each client has a thread of its own, which ends with the process."""

    allow_reuse_address = True
    daemon_threads = True
    timeout = 0.0  # whoever asked has gone again: back to waiting

    def __init__(self, host: str, port: int, handler: type[BaseHTTPRequestHandler]) -> None:
        found = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        self.address_family = found[0][0]
        super().__init__((host, port), handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: it is a client that has gone before it had its answer."""


def _listen(host: str, port: int, signs: SignsOfLife) -> _Server:
    class Handler(_Handler):
        signs_of_life = signs

    return _Server(host, port, Handler)


class _Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    signs_of_life: SignsOfLife
    timeout = CLIENT_TIMEOUT_S
    server_version = "Tradewind"
    sys_version = ""

    def do_GET(self) -> None:
        self._answer(has_body=True)

    def do_HEAD(self) -> None:
        self._answer(has_body=False)

    def _answer(self, *, has_body: bool) -> None:
        if self.path.partition("?")[0] != "/health":
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        is_at_work, last_at = self.signs_of_life.read()
        body = json.dumps(
            {
                "status": "healthy" if is_at_work else "unhealthy",
                "latest_scheduler_heartbeat": last_at.isoformat() if last_at else None,
            }
        ).encode()
        self.send_response(HTTPStatus.OK if is_at_work else HTTPStatus.SERVICE_UNAVAILABLE)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if has_body:
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: a probe each few seconds would fill the log."""
