"""A form made of a DAG's params, and the configuration read back from it. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..control.input import InvalidInput
from ..sdk.serialized import SerializedParam

PREFIX = "param."


@dataclass(frozen=True, slots=True)
class Field:
    """One input.

    ``kind``: text, number, integer, checkbox, select, date, datetime, time, lines, list, json.
    """

    name: str
    kind: str
    value: str
    description: str
    is_required: bool
    options: Sequence[tuple[str, str]] = ()
    minimum: Any = None
    maximum: Any = None
    is_nullable: bool = False
    #: What stands above it; the name where the author gave no title.
    title: str = ""
    description_md: str = ""
    #: Offered while one types; anything else may be typed.
    examples: Sequence[str] = ()
    #: Fields of one section stand together below its name.
    section: str = ""

    @property
    def input_name(self) -> str:
        """The name of the input, apart from the form's own fields."""
        return PREFIX + self.name


def make_fields(
    params: Sequence[SerializedParam], typed: Mapping[str, str] | None = None
) -> list[Field]:
    """Return the inputs; *typed* keeps what a reader had entered, by input name."""
    return [_field(param, typed) for param in params]


def _field(param: SerializedParam, typed: Mapping[str, str] | None) -> Field:
    schema = param.schema
    kind = _kind(param)
    options: tuple[tuple[str, str], ...] = ()
    choices = schema.get("enum")
    if choices is not None:
        words = schema.get("values_display") or {}
        options = tuple((json.dumps(one), str(words.get(str(one), _shown(one)))) for one in choices)
    value = json.dumps(param.default) if kind == "select" else _as_text(param.default, kind)
    if typed is not None:
        value = typed.get(PREFIX + param.name, "")
    return Field(
        name=param.name,
        kind=kind,
        value=value,
        description=param.description or str(schema.get("description", "")),
        is_required=not param.has_default,
        options=options,
        minimum=schema.get("minimum"),
        maximum=schema.get("maximum"),
        is_nullable="null" in _types(param),
        title=str(schema.get("title") or param.name),
        description_md=str(schema.get("description_md") or ""),
        examples=[_shown(one) for one in schema.get("examples") or () if kind == "text"],
        section=str(schema.get("section") or ""),
    )


def _types(param: SerializedParam) -> list[str]:
    declared = param.schema.get("type")
    if declared is None:
        value = param.default
        for kind, name in (
            (bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"),
        ):  # fmt: skip
            if isinstance(value, kind):
                return [name]
        return ["json"]
    return [declared] if isinstance(declared, str) else list(declared)


def _kind(param: SerializedParam) -> str:
    if param.schema.get("enum") is not None:
        return "select"
    types = [one for one in _types(param) if one != "null"]
    if types == ["boolean"]:
        return "checkbox"
    if types == ["integer"]:
        return "integer"
    if types == ["number"]:
        return "number"
    if types == ["string"]:
        formats = {"date": "date", "date-time": "datetime", "time": "time", "multiline": "lines"}
        return formats.get(str(param.schema.get("format", "")), "text")
    if types == ["array"] and _is_of_texts(param):
        return "list"
    return "json"


def _is_of_texts(param: SerializedParam) -> bool:
    """Tell whether an array holds plain texts: those are entered one a line."""
    items = param.schema.get("items") or {}
    if items:
        return items.get("type") == "string" and "enum" not in items
    default = param.default
    return isinstance(default, list) and all(
        isinstance(one, str) and "\n" not in one for one in default
    )


def _as_text(value: Any, kind: str) -> str:
    if kind == "json":
        return json.dumps(value, indent=2, ensure_ascii=False)
    if value is None:
        return ""
    if kind == "list":
        return "\n".join(map(str, value))
    if kind == "checkbox":
        return "on" if value else ""
    return str(value)


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def read_conf(params: Sequence[SerializedParam], form: Mapping[str, str]) -> dict[str, Any]:
    """Return the configuration that the form says: only what differs from the defaults.

    Raises:
        InvalidInput: an input cannot be read; the text names it.
    """
    conf: dict[str, Any] = {}
    for param in params:
        value = _read(param, form.get(PREFIX + param.name))
        if not param.has_default or value != param.default:
            conf[param.name] = value
    return conf


def read_answer(params: Sequence[SerializedParam], form: Mapping[str, str]) -> dict[str, Any]:
    """Return every value that the form says, also where it is the default.

    Raises:
        InvalidInput: an input cannot be read; the text names it.
    """
    return {param.name: _read(param, form.get(PREFIX + param.name)) for param in params}


def _read(param: SerializedParam, text: str | None) -> Any:
    kind = _kind(param)
    if kind == "checkbox":
        return text is not None and text != ""
    if text is None:
        return param.default if param.has_default else None
    if text == "" and ("null" in _types(param) or kind in ("integer", "number")):
        return None
    if kind == "time" and len(text) == len("12:30"):
        return f"{text}:00"  # browsers leave the seconds out where they are none
    if kind == "list":
        return [line.strip() for line in text.splitlines() if line.strip()]
    try:
        if kind == "integer":
            return int(text)
        if kind == "number":
            number = float(text)
            return int(number) if number.is_integer() and "." not in text else number
        if kind in ("json", "select"):
            return json.loads(text)
    except ValueError:
        raise InvalidInput(f"Parameter {param.name!r}: {text!r} cannot be read as {kind}") from None
    return text
