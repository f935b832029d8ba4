"""The source text of a function: for interpreters and languages elsewhere."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from typing import Any

from .exceptions import InvalidValueError


def source_of(function: Callable[..., Any]) -> str:
    """Return the source of a function without its decorators.

    Raises:
        ValueError: it has none.
    """
    try:
        text = textwrap.dedent(inspect.getsource(inspect.unwrap(function)))
    except (OSError, TypeError) as error:
        raise InvalidValueError(f"the source of {function!r} cannot be read") from error
    definition = ast.parse(text).body[0]
    return "\n".join(text.splitlines()[definition.lineno - 1 :])
