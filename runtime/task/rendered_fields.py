"""Template fields as pages show them: masked, as plain data, and not longer than a limit."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from ...sdk.secrets_masker import mask, redact

#: What a message to the runner can hold as a number.
_INTEGERS = range(-(2**63), 2**64)
#: Unless ``[core] max_templated_field_length`` says otherwise.
LENGTH_MAX = 4096


def fields_to_show(task: Any, *, length_max: int = LENGTH_MAX) -> dict[str, Any]:
    """Return every template field of a rendered task as JSON values.

    Masked first and cut then: a cut secret would not be recognised.
    """
    return {
        name: _to_show(name, getattr(task, name, None), length_max) for name in task.template_fields
    }


def _to_show(name: str, value: Any, length_max: int) -> Any:
    if value is None or isinstance(value, (bool, int, float)):
        return _plain(value)
    shown = _plain(redact(value, name))
    text = shown if isinstance(shown, str) else json.dumps(shown)
    if len(text) <= length_max:
        return shown
    return (
        "Truncated. You can change this behaviour in [core] max_templated_field_length. "
        f"{text[:length_max]}..."
    )


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):  # half of a surrogate pair is no text that could be sent
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, int):
        return value if value in _INTEGERS else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)  # JSON knows no other
    if isinstance(value, Mapping):
        return {str(key): _plain(element) for key, element in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(element) for element in value]
    if callable(value) and hasattr(value, "__qualname__"):
        return f"<function {value.__qualname__}>"  # without an address: equal in every try
    return mask(str(value))
