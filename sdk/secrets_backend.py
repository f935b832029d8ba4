"""``BaseSecretsBackend``: where else connections, variables and settings may be kept.

Users derive from it and name their class in ``[secrets] backend``.
"""

from __future__ import annotations

from abc import ABC

from .connection import Connection
from .logging_mixin import LoggingMixin


class BaseSecretsBackend(LoggingMixin, ABC):
    """Answers None for what it does not have; then the next place is asked."""

    @staticmethod
    def build_path(path_prefix: str, secret_id: str, sep: str = "/") -> str:
        """Return the path of one secret in the store."""
        return f"{path_prefix}{sep}{secret_id}"

    def get_conn_value(self, conn_id: str) -> str | None:
        """Return a connection as a URI or as JSON, None where there is none."""
        return None

    def get_conn_uri(self, conn_id: str) -> str | None:
        """Return a connection as a URI: what backends of Airflow before 2.3 define."""
        return None

    def deserialize_connection(self, conn_id: str, value: str) -> Connection:
        """Return the connection that a URI or JSON stands for."""
        return Connection.from_text(value.strip(), conn_id=conn_id)

    def get_connection(self, conn_id: str) -> Connection | None:
        """Return a connection, None where there is none."""
        value = self.get_conn_value(conn_id) or self.get_conn_uri(conn_id)
        return self.deserialize_connection(conn_id, value) if value else None

    def get_variable(self, key: str) -> str | None:
        """Return the text of a variable, None where there is none."""
        return None

    def get_config(self, key: str) -> str | None:
        """Return the text of a setting, None where there is none."""
        return None
