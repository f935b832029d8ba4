"""Query parameters and batch forms, as conditions of the store's listings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...database.listings import Where
from .call import WILDCARD

_OPERATORS = ("gte", "gt", "lte", "lt")
#: What clients say for a task instance without a state.
NO_STATE = frozenset({None, "none", "no_status", "null"})


def state_names(states: list[str | None]) -> list[str]:
    """Return states as the store has them."""
    return ["none" if state in NO_STATE else str(state) for state in states]


def ranges(values: Mapping[str, Any], *names: str) -> Iterator[Where]:
    """Return a condition for each ``NAME_gte``, ``NAME_lte``, … that is set."""
    for name in names:
        for operator in _OPERATORS:
            value = values.get(f"{name}_{operator}")
            if value is not None:
                yield Where(name, operator, value)


def patterns(values: Mapping[str, Any], **fields: str) -> Iterator[Where]:
    """Return a condition for each pattern that is set: parameter's name = field."""
    for name, field in fields.items():
        for suffix, operator in (("pattern", "like"), ("prefix_pattern", "prefix")):
            value = values.get(f"{name}_{suffix}")
            if value:
                yield Where(field, operator, value)


def listed(values: Mapping[str, Any], **fields: str) -> Iterator[Where]:
    """Return a condition for each list of values that is set: parameter's name = field."""
    for name, field in fields.items():
        value = values.get(name)
        if value:
            chosen = state_names(value) if field == "state" else value
            yield Where(field, "in", chosen)


def named(**values: str) -> Iterator[Where]:
    """Return a condition for each id in an address that is not the wildcard."""
    for field, value in values.items():
        if value != WILDCARD:
            yield Where(field, "in", [value])
