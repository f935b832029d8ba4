"""Pages of long lists: by number of rows left out, and by cursor where lists grow for ever."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import request

OFFSET_MAX = 1_000_000


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list, and where its neighbours begin (None: there is none)."""

    rows: Sequence[Any]
    total: int
    offset: int
    previous_offset: int
    next_offset: int | None
    #: What the addresses of the neighbours repeat.
    arguments: Mapping[str, Any]


def asked_offset() -> int:
    """Return the offset that the address asks for, made harmless."""
    return min(max(0, request.args.get("offset", 0, type=int)), OFFSET_MAX)


def page_of(
    total: int,
    read: Callable[[int, int], Sequence[Any]],
    size: int,
    arguments: Mapping[str, Any],
) -> Page:
    """Read the page that the address asks for.

    Args:
        read: gives the rows for a limit and an offset.
    """
    offset = asked_offset()
    following = offset + size
    return Page(
        rows=read(size, offset),
        total=total,
        offset=offset,
        previous_offset=max(0, offset - size),
        next_offset=following if following < total else None,
        arguments=without_empty(arguments),
    )


@dataclass(frozen=True, slots=True)
class CursorPage:
    """One page of a list that costs the same at any depth; cursors of its neighbours, if any."""

    rows: Sequence[Any]
    total: int
    newer: str | None
    older: str | None
    #: What the addresses of the neighbours repeat.
    arguments: Mapping[str, Any]


def without_empty(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of an address that say something."""
    return {name: value for name, value in arguments.items() if value}
