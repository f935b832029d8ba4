"""Serve the pages: gunicorn with threads, one worker process by default."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication

if TYPE_CHECKING:
    from flask import Flask

    from ..control.services import Services

#: Open pages hold a thread each while they are followed live.
THREADS = 256
#: A page that is being followed must not hold up Ctrl-C.
GRACEFUL_TIMEOUT_S = 2


class _Application(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn without its command line: settings come from ours."""

    def __init__(self, services: Services, options: dict[str, Any]) -> None:
        self._services = services
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        from .app import create_app

        app = create_app(self._services)
        # Workers are forked from here, and no open database may be carried across a fork.
        self._services.store.close()
        return app


def serve(services: Services, *, host: str, port: int, workers: int = 1) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        OSError: the address is in use (gunicorn retries for a few seconds, then exits with 1).
    """
    options = {
        "bind": f"{host}:{port}",
        "workers": workers,
        "preload_app": True,  # workers share the memory of what is imported before the fork
        "worker_class": "gthread",
        "threads": THREADS,
        "graceful_timeout": GRACEFUL_TIMEOUT_S,
        "timeout": 60,
        "loglevel": "warning",
        "proc_name": "tradewind webserver",
        "worker_tmp_dir": None,
        "control_socket_disable": True,
    }
    _Application(services, options).run()
