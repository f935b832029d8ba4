"""Pages by cursor: where the last one ended, and what comes after it.

A cursor holds the values that its row is sorted by. Finding the next page costs the same at any
depth, and rows that come or go between two pages move none of the others. Nothing (NULL) comes
last in either direction, as in pages by offset.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, and_, false, or_

from ..sdk.errors import TradewindError

#: More than any order could need.
TEXT_LENGTH_MAX = 4096


class InvalidCursor(TradewindError):
    """The text is no cursor of this list in this order."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """After (or before) which row a page begins. ``values`` None: at the very first."""

    order: Sequence[str]
    values: Sequence[Any] | None = None
    is_backward: bool = False


@dataclass(frozen=True, slots=True)
class SortKey:
    """One column that rows are sorted by."""

    column: Any
    is_descending: bool

    @property
    def kind(self) -> type | tuple[type, ...]:
        """What a value of this column is."""
        try:
            kind = self.column.type.python_type
        except NotImplementedError:  # an expression that only numbers come out of
            kind = float
        return (int, float) if kind in (int, float) else kind

    def ordered(self, *, is_backward: bool) -> ColumnElement[Any]:
        """Return what to order a statement by."""
        is_falling = self.is_descending != is_backward
        chosen: ColumnElement[Any] = self.column.desc() if is_falling else self.column.asc()
        return chosen.nulls_first() if is_backward else chosen.nulls_last()

    def beyond(self, value: Any, *, is_backward: bool) -> ColumnElement[bool]:
        """Return the condition that a row lies on the far side of *value*."""
        if value is None:
            known: ColumnElement[bool] = self.column.is_not(None)
            return known if is_backward else false()
        is_falling = self.is_descending != is_backward
        farther: ColumnElement[bool] = self.column < value if is_falling else self.column > value
        return farther if is_backward else or_(farther, self.column.is_(None))

    def same(self, value: Any) -> ColumnElement[bool]:
        """Return the condition that a row has this value."""
        same: ColumnElement[bool] = self.column.is_(None) if value is None else self.column == value
        return same


def write_cursor(cursor: Cursor) -> str:
    """Return the text of a cursor: opaque, and safe in an address."""
    parts = [list(cursor.order), list(cursor.values or ()), cursor.is_backward]
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(parts)).decode().rstrip("=")


def read_cursor(text: str, order: Sequence[str]) -> Cursor:
    """Read a cursor; an empty text begins at the first row.

    Raises:
        InvalidCursor: it was not written by us, or for a list in another order.
    """
    if not text:
        return Cursor(order)
    try:
        if len(text) > TEXT_LENGTH_MAX:
            raise ValueError("too long")
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        known, values, is_backward = msgspec.msgpack.decode(
            data, type=tuple[list[str], list[Any], bool]
        )
    except (binascii.Error, ValueError, msgspec.DecodeError):
        raise InvalidCursor("The cursor is not one of ours.") from None
    if known != list(order) or len(values) != len(order) + 1:
        raise InvalidCursor("The cursor belongs to a list in another order.")
    return Cursor(order, values, is_backward)


def beyond(statement: Select[Any], keys: Sequence[SortKey], cursor: Cursor) -> Select[Any]:
    """Return *statement* for the rows on the far side of a cursor, in the cursor's direction.

    Raises:
        InvalidCursor: a value in it is of another kind than its column's.
    """
    if cursor.values is not None:
        for key, value in zip(keys, cursor.values, strict=True):
            if value is not None and not isinstance(value, key.kind):
                raise InvalidCursor("The cursor is not one of ours.")
        alternatives = [
            and_(
                *(
                    key.same(value)
                    for key, value in zip(keys[:position], cursor.values, strict=False)
                ),
                keys[position].beyond(cursor.values[position], is_backward=cursor.is_backward),
            )
            for position in range(len(keys))
        ]
        statement = statement.where(or_(*alternatives))
    return statement.order_by(*(key.ordered(is_backward=cursor.is_backward) for key in keys))
