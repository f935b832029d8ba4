"""Reads query and body of a request, and refuses what the operation does not describe."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import Any

import msgspec
from flask import Request

from .errors import ApiError, InvalidField
from .operation import Face, Query

INTEGER_MAX = 2**63 - 1
TEXT_LENGTH_MAX = 4096
_UNKNOWN = re.compile(r"Object contains unknown field `(.+?)`(?: - at `(.+)`)?$")
_MISSING = re.compile(r"Object missing required field `(.+?)`(?: - at `(.+)`)?$")
_WRONG = re.compile(r"(.+?)(?: - at `(.+)`)?$")


def read_query(request: Request, face: Face, version: int) -> dict[str, Any]:
    """Return the query parameters by name, converted; absent ones have their default.

    Raises:
        InvalidField: one cannot be read. ApiError: version 1 refuses names that it does not know.
    """
    if version == 1:
        extra = sorted(set(request.args) - {query.name for query in face.query})
        if extra:
            raise ApiError(400, f"Query parameters that this address does not have: {extra}")
    values: dict[str, Any] = {}
    for query in face.query:
        given = request.args.getlist(query.name)
        if query.is_required and not given:
            raise InvalidField("missing", ("query", query.name), f"{query.name}: Field required")
        if query.is_list:
            values[query.name] = [_convert(query, text) for text in given]
        else:
            values[query.name] = _convert(query, given[-1]) if given else query.default
    return values


def _convert(query: Query, text: str) -> Any:
    place = ("query", query.name)
    if len(text) > TEXT_LENGTH_MAX or "\x00" in text:
        raise InvalidField("string_too_long", place, f"{query.name}: the value is not allowed")
    if query.kind == "integer":
        if not re.fullmatch(r"[+-]?[0-9]{1,19}", text) or abs(int(text)) > INTEGER_MAX:
            raise InvalidField("int_parsing", place, f"{query.name}: an integer is expected", text)
        return int(text)
    if query.kind == "number":
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise InvalidField("float_parsing", place, f"{query.name}: a number is expected", text)
        return number
    if query.kind == "boolean":
        if text.lower() in ("true", "1", "yes", "on"):
            return True
        if text.lower() in ("false", "0", "no", "off"):
            return False
        raise InvalidField("bool_parsing", place, f"{query.name}: true or false expected", text)
    if query.kind == "instant":
        return read_instant(text, place)
    if query.choices and text not in query.choices:
        wanted = ", ".join(query.choices)
        raise InvalidField("enum", place, f"{query.name}: {text!r} is none of {wanted}", text)
    return text


def read_instant(text: str, place: tuple[str | int, ...]) -> datetime:
    """Read an ISO 8601 instant with its zone.

    Raises:
        InvalidField: it is none, or has no zone.
    """
    name = place[-1]
    try:
        # A "+" that was not encoded arrives as a blank.
        parsed = datetime.fromisoformat(text.strip().replace(" 00:00", "+00:00"))
        if parsed.utcoffset() is not None:
            return parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        text_ = f"{name}: {text!r} is not a date and time in ISO 8601"
        raise InvalidField("datetime_from_date_parsing", place, text_, text) from None
    raise InvalidField("timezone_aware", place, f"{name}: the time zone is missing", text)


def read_body(request: Request, face: Face, version: int) -> Any:
    """Return the body as the Struct that the face names; None where it has none.

    Raises:
        InvalidField: a field is unknown, missing or of another type. ApiError: it is no JSON.
    """
    if face.body is None:
        return None
    data = request.get_data(cache=True)
    if not data.strip():
        if face.has_optional_body:
            return face.body()
        if version == 1:
            raise ApiError(400, "Request body must not be empty")
        raise InvalidField("missing", ("body",), "Field required")
    is_json = request.mimetype == "application/json" or request.mimetype.endswith("+json")
    if not is_json and not _is_curls_json(request, data):
        if version == 1:
            raise ApiError(415, f"The content type is {request.mimetype!r}; JSON is expected")
        raise InvalidField("model_attributes_type", ("body",), "A JSON object is expected")
    try:
        # In two steps: first whether it is JSON, then whether it is what is expected.
        plain = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        if version == 1:
            raise ApiError(400, f"The body is not valid JSON: {error}") from None
        raise InvalidField("json_invalid", ("body",), f"JSON decode error: {error}") from None
    if not isinstance(plain, dict):
        raise InvalidField("model_attributes_type", ("body",), "A JSON object is expected")
    try:
        body = msgspec.convert(plain, face.body)
    except msgspec.ValidationError as error:
        raise _explain(str(error), plain) from None
    except (RecursionError, OverflowError):
        raise ApiError(400, "The body cannot be read: it is too deep") from None
    for name in face.body.__struct_fields__:
        value = getattr(body, name)
        if isinstance(value, datetime):
            _check_in_utc(value, ("body", name))
    return body


def _is_curls_json(request: Request, data: bytes) -> bool:
    """Tell whether this is JSON that ``curl -d`` sent under the name of a form.

    A browser says where it comes from, so a form of a foreign page is never taken for it.
    """
    is_browser = "Origin" in request.headers or "Sec-Fetch-Site" in request.headers
    is_form = request.mimetype == "application/x-www-form-urlencoded"
    return is_form and not is_browser and data.lstrip().startswith(b"{")


def _check_in_utc(instant: datetime, place: tuple[str | int, ...]) -> None:
    """Refuse an instant that lies beyond the first or last year when it is told in UTC."""
    try:
        instant.astimezone(UTC)
    except OverflowError:
        text = f"{place[-1]}: {instant.isoformat()!r} lies outside of what can be stored"
        raise InvalidField("datetime_from_date_parsing", place, text) from None


def _explain(text: str, plain: dict[str, Any]) -> InvalidField:
    if found := _UNKNOWN.match(text):
        place = (*_place(found[2]), found[1])
        return InvalidField("extra_forbidden", place, f"{{'{found[1]}': ['Unknown field.']}}")
    if found := _MISSING.match(text):
        place = (*_place(found[2]), found[1])
        return InvalidField("missing", place, f"{found[1]}: Field required")
    found = _WRONG.match(text)
    place = _place(found[2] if found else None)
    reason = found[1] if found else text
    name = ".".join(str(part) for part in place[1:])
    given = plain.get(str(place[1])) if len(place) == 2 else None
    return InvalidField(_kind(reason), place, f"{reason} - {name!r}" if name else reason, given)


def _place(path: str | None) -> tuple[str | int, ...]:
    parts = re.findall(r"\.(\w+)|\[(\d+)\]", path or "")
    return ("body", *(name or int(index) for name, index in parts))


def _kind(reason: str) -> str:
    if "timezone" in reason:
        return "timezone_aware"
    if "RFC3339" in reason:
        return "datetime_from_date_parsing"
    if "Expected `object" in reason:
        return "dict_type"
    if "Expected `int" in reason:
        return "int_type"
    if "Expected `bool" in reason:
        return "bool_type"
    if "enum" in reason:
        return "enum"
    return "string_type" if "Expected `str" in reason else "value_error"
