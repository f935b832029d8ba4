"""Serves the logs that this worker has written, to whoever has a ticket for one.

``GET /log/PATH`` with ``Authorization: Bearer TICKET``; ``Range`` is understood, so a page reads a
running task's log piece by piece. Nothing else is answered, and no folder is ever listed.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication
from werkzeug.exceptions import HTTPException, RequestedRangeNotSatisfiable
from werkzeug.utils import send_file
from werkzeug.wrappers import Request, Response

from ...sdk.configuration import conf
from ...sdk.errors import ConfigurationError
from ...sdk.log_tickets import TicketRefused, check_ticket

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PREFIX = "/log/"
THREADS = 8


class LogApplication:
    """The WSGI application."""

    def __init__(self, folder: Path) -> None:
        """Args: folder: what it serves, and nothing beside it."""
        self._folder = folder.resolve()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        request = Request(environ)
        return self._answer(request)(environ, start_response)

    def _answer(self, request: Request) -> Response | HTTPException:
        if request.method not in ("GET", "HEAD"):
            return Response("only GET\n", 405)
        if not request.path.startswith(PREFIX):
            return Response("no log\n", 404)
        name = request.path.removeprefix(PREFIX)
        try:
            check_ticket(request.headers.get("Authorization", ""), name)
        except TicketRefused as refused:
            return Response(f"{refused}\n", 403)
        path = self._resolve(name)
        if path is None:
            return Response("no such log\n", 404)
        try:
            return send_file(path, request.environ, "text/plain", etag=False, max_age=0)
        except RequestedRangeNotSatisfiable as error:  # the end has been read: nothing new
            return error
        except OSError as error:
            return Response(f"the log cannot be read: {error.strerror}\n", 500)

    def _resolve(self, name: str) -> Path | None:
        """Return the file, unless it, or what it links to, lies outside of the folder."""
        try:
            path = (self._folder / name).resolve(strict=True)
        except (OSError, ValueError):
            return None
        return path if path.is_relative_to(self._folder) and path.is_file() else None


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    def __init__(self, application: LogApplication, options: dict[str, Any]) -> None:
        self._application = application
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> LogApplication:
        return self._application


def choose_port() -> int:
    """Return the port for this machine's log endpoint; 0 in the settings: any that is free.

    Raises:
        ConfigurationError: another program has it.
    """
    host = str(conf.get("logging", "worker_log_server_host"))
    port = conf.getint("logging", "worker_log_server_port")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigurationError(
                f"Logs cannot be served at {host}:{port}: {error.strerror or error}; choose"
                " another [logging] worker_log_server_port (0: any that is free)"
            ) from None
        return int(probe.getsockname()[1])


def log_url(port: int) -> str:
    """Return the address under which other machines reach the endpoint."""
    host = str(conf.get("logging", "worker_log_server_host"))
    if host in ("0.0.0.0", "::", ""):  # noqa: S104 - compared, not bound
        host = socket.gethostname()
    return f"http://{host}:{port}"


def serve_logs(port: int) -> int:
    """Serve until SIGTERM."""
    options = {
        "bind": f"{conf.get('logging', 'worker_log_server_host')}:{port}",
        "workers": 1,
        "worker_class": "gthread",
        "threads": THREADS,
        "graceful_timeout": 2,
        "timeout": 60,
        "loglevel": "warning",
        "proc_name": "tradewind logs",
        "control_socket_disable": True,
    }
    _Server(LogApplication(Path(conf.get("logging", "base_log_folder"))), options).run()
    return 0
