"""What people type, turned into values: instants, JSON, patterns. Errors are one clear line."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, time
from typing import Any

from ..sdk.errors import TradewindError
from ..sdk.timezone import default_timezone, plain_utc


class InvalidInput(TradewindError):
    """What was typed cannot be understood; the text says what and why."""


def parse_instant(text: str) -> datetime:
    """Read an instant: anything that pendulum or dateutil reads.

    One without a zone is in ``[core] default_timezone``.

    Raises:
        InvalidInput: the text is no instant.
    """
    return plain_utc(_localized(text))


def _localized(text: str) -> datetime:
    stripped = text.strip()
    try:
        parsed = datetime.fromisoformat(stripped)
    except ValueError:
        parsed = _lenient(stripped)
    return parsed if parsed.utcoffset() is not None else parsed.replace(tzinfo=default_timezone())


def _lenient(text: str) -> datetime:
    from dateutil import parser

    midnight = datetime.combine(datetime(2000, 1, 1, tzinfo=UTC), time())
    try:
        # Two defaults: where they disagree a part of the date was missing, and dateutil would
        # have filled in today's.
        first = parser.parse(text, default=midnight.replace(tzinfo=None))
        second = parser.parse(text, default=midnight.replace(2001, 2, 2, tzinfo=None))
    except (ValueError, OverflowError, TypeError):
        first, second = midnight, None
    if first != second:
        raise InvalidInput(f"{text!r} is not a date; write one like 2024-01-31 or 2024-01-31T12:00")
    return first


def parse_json_object(text: str | None, what: str) -> dict[str, Any] | None:
    """Read a JSON object; None and an empty text give None.

    Args:
        what: how the error names it, such as "--conf".

    Raises:
        InvalidInput: the text is not JSON, or is not an object.
    """
    if text is None or not text.strip():
        return None
    try:
        value = json.loads(text)
    except ValueError as error:
        raise InvalidInput(f"{what} is not valid JSON: {error}") from None
    if not isinstance(value, dict):
        raise InvalidInput(f'{what} must be a JSON object, such as {{"key": 1}}, not {text}')
    return value


def compile_pattern(text: str, what: str) -> re.Pattern[str]:
    """Read a regular expression.

    Raises:
        InvalidInput: it is none.
    """
    try:
        return re.compile(text)
    except re.error as error:
        raise InvalidInput(f"{what} is not a regular expression: {error}") from None
