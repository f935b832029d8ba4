"""``BaseHook``: what hooks of users and of provider packages derive from."""

from __future__ import annotations

import logging
from typing import Any

from .connection import Connection
from .logging_mixin import LoggingMixin

log = logging.getLogger(__name__)


class BaseHook(LoggingMixin):
    """Gives access to connections. A hook turns one into a client by ``get_conn``."""

    def __init__(self, logger_name: str | None = None) -> None:
        """Take a name for the logger, in place of the class's."""
        super().__init__()
        self._log_config_logger_name = logger_name

    @classmethod
    def get_connection(cls, conn_id: str) -> Connection:
        """Return the connection called *conn_id*.

        Raises:
            AirflowNotFoundException: there is none.
        """
        connection = Connection.get(conn_id)
        log.info("Using connection ID '%s' for task execution.", connection.conn_id)
        return connection

    @classmethod
    async def aget_connection(cls, conn_id: str) -> Connection:
        """Return the connection called *conn_id*, without blocking the event loop.

        Raises:
            AirflowNotFoundException: there is none.
        """
        import asyncio

        return await asyncio.to_thread(cls.get_connection, conn_id)

    @classmethod
    def get_connections(cls, conn_id: str) -> list[Connection]:
        """Return the one connection called *conn_id*, in a list, as Airflow 1.10 had it."""
        return [cls.get_connection(conn_id)]

    @classmethod
    def get_hook(cls, conn_id: str, hook_params: dict[str, Any] | None = None) -> Any:
        """Return the hook that a provider package has for this type of connection.

        Raises:
            AirflowException: no installed package has one.
        """
        return cls.get_connection(conn_id).get_hook(hook_params=hook_params)

    def get_conn(self) -> Any:
        """Return the client. Subclasses define it."""
        raise NotImplementedError

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """Return widgets for a form; none here."""
        return {}

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Return how a form shows the fields; nothing special here."""
        return {}
