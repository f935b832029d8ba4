"""Reads Variables and Connections from a file: JSON, YAML or lines of ``NAME=value``.

For ``dag.test(conn_file_path=…, variable_file_path=…)``. Formats as Airflow's local file backend.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...sdk.connection import Connection
from ...sdk.errors import TradewindError


class SecretsFileUnreadable(TradewindError):
    """The file is not there, or not in a format that we know."""


class FileSecrets:
    """A secrets backend over two files, either of which may be None."""

    def __init__(self, variable_path: str | Path | None, connection_path: str | Path | None):
        """Read the files.

        Raises:
            SecretsFileUnreadable: one of them cannot be read.
        """
        self._variables = load_variables(variable_path) if variable_path else {}
        self._connections = load_connections(connection_path) if connection_path else {}

    def get_variable(self, key: str) -> str | None:
        """Return a variable's text, or None."""
        return self._variables.get(key)

    def get_connection(self, conn_id: str) -> Connection | None:
        """Return a connection, or None."""
        value = self._connections.get(conn_id)
        if value is None:
            return None
        return Connection.from_text(value if isinstance(value, str) else json.dumps(value), conn_id)


def load_variables(path: str | Path) -> dict[str, str]:
    """Return key → text of each variable; what is not text is kept as JSON.

    Raises:
        SecretsFileUnreadable: the text names the file and what is wrong.
    """
    return {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in _load(path).items()
    }


def load_connections(path: str | Path) -> dict[str, Any]:
    """Return connection id → URI text, or mapping of its fields. Of several the last one counts.

    Raises:
        SecretsFileUnreadable: the text names the file and what is wrong.
    """
    found: dict[str, Any] = {}
    for conn_id, value in _load(path).items():
        one = value[-1] if isinstance(value, list) and value else value
        if not isinstance(one, str | Mapping):
            raise SecretsFileUnreadable(
                f"{path}: connection {conn_id!r} is neither a URI nor a mapping of fields"
            )
        found[conn_id] = one
    return found


def _load(path: str | Path) -> dict[str, Any]:
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise SecretsFileUnreadable(f"cannot read {file}: {error.strerror}") from error
    if file.suffix in (".json", ".yaml", ".yml"):
        data = _parse(file, text)
    else:
        data = dict(_env_lines(file, text))
    if not isinstance(data, dict):
        raise SecretsFileUnreadable(f"{file}: a mapping of names to values was expected")
    return {str(name): value for name, value in data.items()}


def _parse(file: Path, text: str) -> Any:
    try:
        if file.suffix == ".json":
            return json.loads(text)
        import yaml  # late: most tests read no such file

        return yaml.safe_load(text) or {}
    except ValueError as error:
        raise SecretsFileUnreadable(f"{file} is not valid {file.suffix[1:]}: {error}") from error
    except Exception as error:
        raise SecretsFileUnreadable(f"{file} cannot be read: {error}") from error


def _env_lines(file: Path, text: str) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        name, separator, value = stripped.partition("=")
        if not separator:
            raise SecretsFileUnreadable(f"{file}, line {number}: NAME=value was expected")
        pairs.append((name.strip(), value.strip()))
    return pairs
