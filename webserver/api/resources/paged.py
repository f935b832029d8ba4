"""Pages of lists that are short enough to be read whole: pools, variables, connections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from ..call import Call
from ..errors import ApiError

T = TypeVar("T")


def page_of(
    call: Call, rows: Sequence[T], orders: Mapping[str, str], pattern: str
) -> tuple[list[T], int]:
    """Return the rows of the page that is asked for, and how many there are in all.

    Args:
        orders: what clients may sort by → attribute; the first is the default.
        pattern: of ``pattern_pattern`` and ``pattern_prefix_pattern``, over the first attribute.

    Raises:
        ApiError: there is no such ordering.
    """
    first = next(iter(orders))
    attribute = orders[first]
    part = call.query.get(f"{pattern}_pattern") or ""
    prefix = call.query.get(f"{pattern}_prefix_pattern") or ""
    alternatives = [text.strip().strip("%").lower() for text in part.split("|")]
    chosen = [
        row
        for row in rows
        if _text(row, attribute).startswith(prefix)
        and any(text in _text(row, attribute).lower() for text in alternatives)
    ]
    for asked in reversed(call.order(first)):
        name = asked.removeprefix("-")
        if name not in orders:
            raise ApiError(400, f"There is no ordering by {name!r}.")
        field = orders[name]
        chosen.sort(key=lambda row: _key(row, field), reverse=asked.startswith("-"))
    limit, offset = call.window()
    return chosen[offset : offset + limit], len(chosen)


def _text(row: Any, attribute: str) -> str:
    return str(getattr(row, attribute) or "")


def _key(row: Any, attribute: str) -> tuple[bool, Any]:
    value = getattr(row, attribute)
    return (value is None, value if isinstance(value, int | float) else str(value or ""))
