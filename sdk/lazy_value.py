"""A stand-in for a value that is costly to get: it is computed when something is done with it.

Functions with ``**kwargs`` get the whole context, and few look at all of it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

_UNKNOWN = object()


class LazyValue:
    """Behaves as the value that *compute* returns; ``is`` and ``type()`` tell the two apart."""

    __slots__ = ("_compute", "_found")

    def __init__(self, compute: Callable[[], Any]) -> None:
        object.__setattr__(self, "_compute", compute)
        object.__setattr__(self, "_found", _UNKNOWN)

    @property
    def __wrapped__(self) -> Any:
        found = object.__getattribute__(self, "_found")
        if found is _UNKNOWN:
            found = object.__getattribute__(self, "_compute")()
            object.__setattr__(self, "_found", found)
        return found

    @property  # type: ignore[misc]
    def __class__(self) -> Any:  # isinstance() asks for it
        return type(self.__wrapped__)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__wrapped__, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.__wrapped__, name, value)

    def __reduce__(self) -> Any:
        return unwrap, (self.__wrapped__,)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.__reduce__()


def unwrap(value: Any) -> Any:
    """Return the value behind a stand-in; anything else as it is."""
    return value.__wrapped__ if type(value) is LazyValue else value


def _forward(name: str, function: Callable[..., Any]) -> None:
    def forwarded(self: LazyValue, *others: Any) -> Any:
        return function(self.__wrapped__, *map(unwrap, others))

    forwarded.__name__ = name
    setattr(LazyValue, name, forwarded)


for _name in (
    "lt", "le", "eq", "ne", "gt", "ge", "add", "sub", "mul", "truediv", "floordiv", "mod",
    "and", "or", "xor", "neg", "getitem", "contains",
):  # fmt: skip
    _forward(f"__{_name}__", getattr(operator, f"__{_name}__"))
for _name, _function in {
    "bool": bool, "len": len, "iter": iter, "next": next, "repr": repr, "str": str,
    "hash": hash, "int": int, "float": float, "format": format, "call": lambda f, *a: f(*a),
    "radd": lambda a, b: b + a, "rsub": lambda a, b: b - a,
}.items():  # fmt: skip
    _forward(f"__{_name}__", _function)  # type: ignore[arg-type]
