"""Serve the pages: gunicorn with threads, one worker process by default."""

from __future__ import annotations

import logging
import os
import ssl
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

from ..sdk.configuration import conf
from ..sdk.errors import TradewindError
from .address import shown_address

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

    from ..control.services import Services

log = logging.getLogger(__name__)

#: Open pages hold a thread each while they are followed live.
THREADS = 256
#: A page that is being followed must not hold up Ctrl-C.
GRACEFUL_TIMEOUT_S = 2
#: Longer than clients are asked to wait when the server is busy, so that they come back to an
#: open connection.
KEEPALIVE_S = 15
#: How long a page waits while another program keeps the database locked; then it says so.
BUSY_TOTAL_S = 15.0


class _WatchedArbiter(Arbiter):  # type: ignore[misc]  # gunicorn has no types
    """Says with each turn of its loop that it goes on; it watches its workers itself."""

    on_turn: Callable[[], None]

    def murder_workers(self) -> None:
        """Kill workers that hang; called once a second."""
        self.on_turn()
        super().murder_workers()


class _Application(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn without its command line: settings come from ours."""

    def __init__(
        self, services: Services, options: dict[str, Any], on_turn: Callable[[], None]
    ) -> None:
        self._services = services
        self._on_turn = on_turn
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def run(self) -> None:
        arbiter = _WatchedArbiter(self)
        arbiter.on_turn = self._on_turn
        arbiter.run()

    def load(self) -> Flask:
        from .app import create_app

        app = create_app(self._services)
        # Workers are forked from here, and no open database may be carried across a fork.
        self._services.store.close()
        return app


def _end_server(error: Exception) -> None:
    """End all workers and who keeps them: they share what they know of the database's file."""
    log.critical("%s", error)
    logging.shutdown()
    os._exit(Arbiter.WORKER_BOOT_ERROR)


def _be_nice(_arbiter: Any, _worker: Any) -> None:
    """Let schedulers and tasks on this machine go before pages (``[api] niceness``)."""
    niceness = conf.getint("api", "niceness")
    if niceness > 0:
        os.nice(niceness)


def tls_options() -> dict[str, Any]:
    """Return what gunicorn needs to serve https, nothing where ``[api] ssl_cert`` is not set.

    Raises:
        TradewindError: certificate or key is missing, or they cannot be used together.
    """
    certificate, key = conf.get("api", "ssl_cert").strip(), conf.get("api", "ssl_key").strip()
    if not certificate and not key:
        return {}
    if not certificate or not key:
        raise TradewindError("[api] ssl_cert and ssl_key go together: one of them is not set")
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key)
    except OSError as error:  # an SSLError is one, too
        text = f"[api] ssl_cert {certificate} and ssl_key {key} cannot be used: {error}"
        raise TradewindError(text) from None
    return {"certfile": certificate, "keyfile": key}


def serve(
    services: Services,
    *,
    host: str,
    port: int,
    workers: int = 1,
    on_turn: Callable[[], None] = lambda: None,
) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        on_turn: called about once a second while the loop that keeps the workers goes on.

    Raises:
        OSError: the address is in use (gunicorn retries for a few seconds, then exits with 1).
    """
    options = {
        **tls_options(),
        "bind": shown_address(host, port),
        "workers": workers,
        "preload_app": True,  # workers share the memory of what is imported before the fork
        "worker_class": "gthread",
        "threads": THREADS,
        "keepalive": KEEPALIVE_S,
        "graceful_timeout": GRACEFUL_TIMEOUT_S,
        "timeout": max(1, round(conf.getfloat("standalone", "hang_timeout_s"))),
        "loglevel": "warning",
        "proc_name": "tradewind webserver",
        "worker_tmp_dir": None,
        "control_socket_disable": True,
        "when_ready": lambda _arbiter: on_turn(),  # from here on it has begun
        "forwarded_allow_ips": "",  # what proxies say is read in one place (proxies.py)
        "post_fork": _be_nice,
    }
    services.store.database.busy_total_s = BUSY_TOTAL_S
    services.store.database.on_file_gone = _end_server
    _Application(services, options, on_turn).run()
