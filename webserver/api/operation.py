"""What an operation of the API is. Routing, checks and OpenAPI documents are derived from these.

One handler serves both generations: a *face* says how each of them calls it. What differs in
the answer, the handler decides by ``call.version``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from .call import Call

Handler = Callable[["Call"], Any]


@dataclass(frozen=True, slots=True)
class Query:
    """One query parameter. ``kind``: text, integer, number, boolean or instant."""

    name: str
    kind: str = "text"
    is_list: bool = False
    default: Any = None
    is_required: bool = False
    #: Empty: any text.
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Face:
    """How one generation of clients calls an operation.

    ``body``: the Struct that a request's body has to be; None: it has none. ``answer``: the
    Struct that is answered, or a tuple of alternatives; None: nothing, or no JSON. ``errors``:
    besides 401, 403 and the one for bad input. ``media_type``: of an answer that is no Struct
    (it may be JSON, too).
    """

    id: str
    path: str
    query: Sequence[Query] = ()
    body: type[msgspec.Struct] | None = None
    answer: Any = None
    status: int = 200
    errors: Sequence[int] = ()
    tag: str = ""
    has_optional_body: bool = False
    media_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that can be asked for. ``permission`` None: open to everybody."""

    method: str
    permission: str | None
    faces: dict[int, Face]
    handler: Handler
    summary: str


_OPERATIONS: list[Operation] = []


def operation(
    method: str, permission: str | None, *, v1: Face | None = None, v2: Face | None = None
) -> Callable[[Handler], Handler]:
    """Declare that a function answers an operation, in the versions that have a face."""

    def declare(handler: Handler) -> Handler:
        faces = {version: face for version, face in ((1, v1), (2, v2)) if face is not None}
        summary = (handler.__doc__ or "").strip().splitlines()[0]
        _OPERATIONS.append(Operation(method, permission, faces, handler, summary))
        return handler

    return declare


def operations(version: int) -> Iterator[tuple[Operation, Face]]:
    """Return every operation of one version with its face, in the order of declaration."""
    for one in _OPERATIONS:
        if version in one.faces:
            yield one, one.faces[version]


PAGE = (Query("limit", "integer"), Query("offset", "integer", default=0))


def order(is_list: bool = True) -> Query:
    """The sort parameter: repeatable in version 2 only."""
    return Query("order_by", is_list=is_list)


def bounds(*names: str, is_strict: bool = False, kind: str = "instant") -> tuple[Query, ...]:
    """Range filters: ``x_gte`` and ``x_lte``, with *is_strict* also ``x_gt`` and ``x_lt``."""
    suffixes = ("gte", "gt", "lte", "lt") if is_strict else ("gte", "lte")
    return tuple(Query(f"{name}_{suffix}", kind) for name in names for suffix in suffixes)


def states(name: str, kind: type[StrEnum], *more: str) -> Query:
    """A filter by state that may be repeated."""
    return Query(name, is_list=True, choices=(*(one.value for one in kind), *more))


def texts(*names: str) -> tuple[Query, ...]:
    """Filters by text that may be repeated."""
    return tuple(Query(name, is_list=True) for name in names)


def patterns(*names: str) -> tuple[Query, ...]:
    """``x_pattern`` and ``x_prefix_pattern``, as version 2 has them."""
    return tuple(
        Query(f"{name}_{kind}") for name in names for kind in ("pattern", "prefix_pattern")
    )
