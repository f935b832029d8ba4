"""``XComEncoder``, ``XComDecoder``: XCom values through the ``json`` module, as providers do it."""

from __future__ import annotations

import json
from typing import Any

from . import xcom_serialization


class XComEncoder(json.JSONEncoder):
    """Writes what XComs can hold."""

    def encode(self, o: Any) -> str:
        """Return the JSON text.

        Raises:
            TypeError: it has a type that cannot be stored.
        """
        return super().encode(xcom_serialization.serialize(o))

    def iterencode(self, o: Any, _one_shot: bool = False) -> Any:
        """Yield the JSON text in pieces."""
        return super().iterencode(xcom_serialization.serialize(o), _one_shot)


class XComDecoder(json.JSONDecoder):
    """Reads it back."""

    def decode(self, s: str, *args: Any) -> Any:
        """Return the value.

        Raises:
            ImportError: it is of a class that is not on the allow-list.
        """
        return xcom_serialization.deserialize(super().decode(s, *args))


class AirflowJsonEncoder(json.JSONEncoder):
    """Writes dates, decimals and sets in the plainest way."""

    def default(self, o: Any) -> Any:
        """Return what JSON has for a value that it does not know."""
        from datetime import date, datetime
        from decimal import Decimal

        if isinstance(o, datetime | date):
            return o.isoformat()
        if isinstance(o, Decimal):
            return int(o) if o == o.to_integral_value() else float(o)
        if isinstance(o, set | frozenset | tuple):
            return list(o)
        return super().default(o)


WebEncoder = AirflowJsonEncoder
