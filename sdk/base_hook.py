"""``BaseHook``: what hooks of providers and of users derive from."""

from __future__ import annotations

from typing import Any

from .connection import Connection
from .logging_mixin import LoggingMixin


class BaseHook(LoggingMixin):
    """A client of another system, made out of a connection."""

    _log_config_logger_name = "airflow.task.hooks"

    def __init__(self, logger_name: str | None = None, **kwargs: Any) -> None:
        super().__init__()
        self._logger_name = logger_name

    @classmethod
    def get_connection(cls, conn_id: str) -> Connection:
        """Return a connection; its secrets are masked from then on.

        Raises:
            AirflowNotFoundException: there is none.
        """
        return Connection.get(conn_id)

    @classmethod
    async def aget_connection(cls, conn_id: str) -> Connection:
        """Return a connection as ``get_connection`` does, without blocking the event loop."""
        import asyncio

        return await asyncio.to_thread(cls.get_connection, conn_id)

    @classmethod
    def get_connections(cls, conn_id: str) -> list[Connection]:
        """Return the connection with that id, in a list."""
        return [cls.get_connection(conn_id)]

    @classmethod
    def get_hook(cls, conn_id: str, hook_params: dict[str, Any] | None = None) -> Any:
        """Return the hook of the provider that serves the connection's type."""
        return cls.get_connection(conn_id).get_hook(hook_params=hook_params)

    def get_conn(self) -> Any:
        """Return the client. For subclasses."""
        raise NotImplementedError

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """Return further fields of the connection's form."""
        return {}

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Return how the fields of the connection's form are shown."""
        return {}
