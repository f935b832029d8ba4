"""Variables: values that DAGs read by name."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..database.errors import NotFound
from ..sdk.secrets_masker import is_secret_name
from .input import InvalidInput

if TYPE_CHECKING:
    from ..database.values import VariableRow
    from .services import Services

MASK = "***"


def list_variables(services: Services, *, hide_sensitive: bool = False) -> Sequence[VariableRow]:
    """Return all variables by key; with *hide_sensitive* values of secret keys are masked."""
    rows = sorted(services.store.variables.list(), key=lambda row: row.key)
    if not hide_sensitive:
        return rows
    return [replace(row, value=MASK) if is_secret_name(row.key) else row for row in rows]


def get_variable(services: Services, key: str, default: str | None = None) -> str:
    """Return a value as text.

    Raises:
        NotFound: there is no such variable, and no default.
    """
    row = services.store.variables.get(key)
    if row is not None:
        return row.value
    if default is None:
        raise NotFound(f"Variable {key} does not exist")
    return default


def decode_json(key: str, value: str) -> Any:
    """Return the decoded value.

    Raises:
        InvalidInput: it is not JSON.
    """
    try:
        return json.loads(value)
    except ValueError as error:
        raise InvalidInput(f"The value of variable {key} is not valid JSON: {error}") from None


def set_variable(services: Services, key: str, value: str, *, description: str = "") -> None:
    """Write a variable, or overwrite it. The key must not be empty."""
    if not key.strip():
        raise InvalidInput("A variable needs a key")
    services.store.variables.set(key, value, description, now=services.now(), actor=services.actor)


def delete_variable(services: Services, key: str) -> bool:
    """Delete a variable; return whether there was one."""
    return services.store.variables.delete(key, now=services.now(), actor=services.actor)


def import_variables(
    services: Services, entries: Mapping[str, Any], *, on_existing: str = "overwrite"
) -> int:
    """Write many variables; values that are no text are stored as JSON.

    Args:
        on_existing: overwrite, skip, or fail (then nothing is written).

    Returns:
        How many were written.

    Raises:
        InvalidInput: *on_existing* is fail, and a key is there already.
    """
    present = {row.key for row in services.store.variables.list()}
    taken = sorted(present & set(entries))
    if on_existing == "fail" and taken:
        raise InvalidInput(f"These variables exist already: {', '.join(taken)}")
    chosen = {
        key: value for key, value in entries.items() if on_existing != "skip" or key not in present
    }
    for key, value in chosen.items():
        description = ""
        if isinstance(value, Mapping) and set(value) == {"value", "description"}:
            description, value = str(value["description"]), value["value"]
        text = value if isinstance(value, str) else json.dumps(value)
        set_variable(services, key, text, description=description)
    return len(chosen)


def export_variables(services: Services) -> dict[str, Any]:
    """Return all variables; values that are JSON are decoded."""
    return {row.key: _decoded(row.value) for row in list_variables(services)}


def _decoded(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value
