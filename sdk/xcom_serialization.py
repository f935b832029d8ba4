"""XCom values as JSON text: what can be stored, how it is written, and how it is read back.

A value that JSON cannot say is written as ``{"__classname__", "__version__", "__data__"}``.
Reading never runs code that the text names, unless the class is on the allow-list
(``[core] allowed_deserialization_classes``). Source: ``spec/semantics.md`` section 8.3.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from .exceptions import AirflowException

CLASS_KEY = "__classname__"
VERSION_KEY = "__version__"
DATA_KEY = "__data__"
DEPTH_MAX = 200

_RESERVED = frozenset({CLASS_KEY, "__id__"})
_PLAIN_TYPES = frozenset({str, int, float, bool, type(None)})
_encode_text = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
#: What the module name of an imported DAG file begins with (Airflow's own name for it).
_IMPORT_PREFIX = re.compile(r"^unusual_prefix_[0-9a-f]{40}_")


class XComNotStorable(AirflowException, TypeError):
    """A value cannot be stored. The text names task, key, type, and what to do."""


class NotSerializable(TypeError):
    """Part of a value has a type that cannot be written. ``path`` leads to it."""

    def __init__(self, value: object, path: str, hint: str = "") -> None:
        kind = type(value)
        # A DAG file is imported under a name of its own, which says nothing to its author.
        module = _IMPORT_PREFIX.sub("", kind.__module__)
        self.type_name = f"{module}.{kind.__qualname__}".removeprefix("builtins.")
        self.path = path
        self.hint = hint
        super().__init__(f"cannot serialize an object of type {self.type_name}{_at(path)}")


def encode(value: Any, *, task_id: str, key: str) -> tuple[str, int | None]:
    """Return the JSON text of a value, and its number of elements (None: it has none).

    Raises:
        XComNotStorable: the text names the task, the key, the type, and the fix.
    """
    try:
        return _encode_text(serialize(value)), length_of(value)
    except NotSerializable as error:
        hint = error.hint or _hint_for(error.type_name)
        raise XComNotStorable(
            f"task {task_id!r} cannot store its XCom {key!r}: a value of type "
            f"{error.type_name}{_at(error.path)} cannot be written as JSON. {hint}"
        ) from error
    except AttributeError as error:
        raise XComNotStorable(f"task {task_id!r} cannot store its XCom {key!r}: {error}") from error


def decode(text: str | bytes) -> Any:
    """Return the value that ``encode`` wrote.

    Raises:
        ImportError: it is of a class that is not on the allow-list.
        TypeError: a newer version of its class wrote it.
    """
    value = json.loads(text)
    return value if type(value) in _PLAIN_TYPES else deserialize(value)


def length_of(value: Any) -> int | None:
    """Return how many task instances could be mapped over a value; None: it has no elements."""
    if isinstance(value, (str, bytes, bytearray)):
        return None
    return len(value) if isinstance(value, (Sequence, Mapping)) else None


def serialize(value: Any, depth: int = 0, path: str = "") -> Any:
    """Return plain data (None, bool, int, float, str, list, dict) that stands for *value*.

    Raises:
        TypeError: it has a type without a written form.
        AttributeError: a dict has a key that is reserved.
    """
    kind = type(value)
    if kind in _PLAIN_TYPES:
        return value
    if depth > DEPTH_MAX:
        raise NotSerializable(
            value, path[:40] + "...", "It is nested too deeply, or contains itself."
        )
    if kind is list:
        return _serialize_elements(value, depth, path)
    if isinstance(value, dict):
        return _serialize_dict(value, depth, path)
    if isinstance(value, Enum):
        if isinstance(value, (str, int)):
            return value.value
        raise NotSerializable(value, path, "Store its .value or its .name instead.")
    if isinstance(value, (str, int, float)):
        return _plain_number_or_text(value, kind, path)
    return _serialize_object(value, depth, path)


def _serialize_elements(values: Any, depth: int, path: str) -> list[Any]:
    return [
        element
        if type(element) in _PLAIN_TYPES
        else serialize(element, depth + 1, f"{path}[{index}]")
        for index, element in enumerate(values)
    ]


def _serialize_dict(value: Mapping[Any, Any], depth: int, path: str) -> dict[str, Any]:
    if not _RESERVED.isdisjoint(value):
        raise AttributeError(
            f"the keys {', '.join(sorted(_RESERVED))} of a dict are reserved for serialized objects"
        )
    return {
        str(key): element
        if type(element) in _PLAIN_TYPES
        else serialize(element, depth + 1, f"{path}[{key!r}]")
        for key, element in value.items()
    }


def _plain_number_or_text(value: Any, kind: type, path: str) -> Any:
    """Turn an instance of a subclass into the plain type: that is how JSON would write it."""
    if isinstance(value, str):
        return str(value)
    if kind.__module__.partition(".")[0] == "numpy":  # float64 is a float, and keeps its class
        return _serialize_object(value, 0, path)
    return int(value) if isinstance(value, int) else float(value)


def _serialize_object(value: Any, depth: int, path: str) -> Any:
    from . import xcom_classes

    if isinstance(value, (tuple, set, frozenset)):
        base = next(b for b in (tuple, frozenset, set) if isinstance(value, b))
        # Sorted, so that one set is always one text; by repr where elements have no order.
        elements = value if base is tuple else _in_order(value)
        return _wrap(f"builtins.{base.__name__}", 1, _serialize_elements(elements, depth, path))
    if isinstance(value, Sequence) and hasattr(value, "is_lazy_xcom_sequence"):
        return _serialize_elements(value, depth, path)
    try:
        written = xcom_classes.write(value, path)
    except xcom_classes.LibraryMissing as error:
        raise NotSerializable(value, path, str(error)) from error
    if written is None:
        raise NotSerializable(value, path)
    return _wrap(written.class_name, written.version, serialize(written.data, depth + 1, path))


def _in_order(values: Any) -> list[Any]:
    try:
        return sorted(values)
    except TypeError:
        return sorted(values, key=repr)


def _wrap(class_name: str, version: int, data: Any) -> dict[str, Any]:
    return {CLASS_KEY: class_name, VERSION_KEY: version, DATA_KEY: data}


def deserialize(value: Any) -> Any:
    """Return the value that ``serialize`` turned into plain data.

    Raises:
        ImportError: a class is not on the allow-list, or cannot be imported.
        TypeError: a newer version of a class wrote it.
    """
    if isinstance(value, list):
        return [e if type(e) in _PLAIN_TYPES else deserialize(e) for e in value]
    if not isinstance(value, dict):
        return value
    class_name = value.get(CLASS_KEY)
    if class_name is None:
        return {k: e if type(e) in _PLAIN_TYPES else deserialize(e) for k, e in value.items()}
    data = deserialize(value.get(DATA_KEY))
    if class_name in ("builtins.tuple", "builtins.set", "builtins.frozenset"):
        plain: dict[str, Any] = {"tuple": tuple, "set": set, "frozenset": frozenset}
        return plain[class_name.removeprefix("builtins.")](data)
    from . import xcom_classes

    return xcom_classes.read(str(class_name), int(value.get(VERSION_KEY, 0)), data)


def describe(text: str | bytes) -> str:
    """Return stored text for people to read, without making any object of it."""
    return _describe(json.loads(text))


def _describe(value: Any) -> str:
    if isinstance(value, dict) and CLASS_KEY in value:
        return f"{value[CLASS_KEY]}@version={value.get(VERSION_KEY)}({value.get(DATA_KEY)!r})"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _at(path: str) -> str:
    return f" (at value{path})" if path else ""


def _hint_for(type_name: str) -> str:
    if type_name in ("bytes", "bytearray", "memoryview"):
        return "Decode it to text, or write it to a file or object storage and return where it is."
    if type_name == "generator":
        return "Return list(...) of it."
    if type_name in ("function", "method", "builtin_function_or_method", "type"):
        return "Return the function's result instead of the function."
    return (
        "Return text, numbers, lists or dicts; or give the class serialize() and "
        "deserialize(data, version), or make it a dataclass; or write it to a file or object "
        "storage and return where it is."
    )
