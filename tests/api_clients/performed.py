"""Notes which operations of a client were performed, so that none is forgotten."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

#: The newer client has each operation three times.
VARIANTS = ("_with_http_info", "_without_preload_content")


def operation_of(name: str) -> str:
    """Return the operation that a method stands for."""
    for variant in VARIANTS:
        name = name.removesuffix(variant)
    return name


class Noted:
    """One class of operations, of which each use is noted."""

    def __init__(self, target: Any, used: set[str]) -> None:
        self._target = target
        self._used = used

    def __getattr__(self, name: str) -> Any:
        self._used.add(operation_of(name))
        return getattr(self._target, name)


class Calls:
    """All operations of a client, and which were used."""

    def __init__(self, client: Any, classes: Iterable[type]) -> None:
        self.client = client
        self._classes = tuple(classes)
        self._used: dict[type, set[str]] = {}

    def on(self, kind: type) -> Any:
        """Return the operations of one class."""
        return Noted(kind(self.client), self._used.setdefault(kind, set()))

    def forgotten(self, left_out: Iterable[str]) -> list[str]:
        """Return what has not been used, and is not left out.

        Some operations stand in two classes: once is enough.
        """
        left = {*left_out, *(name for used in self._used.values() for name in used)}
        found = []
        for kind in self._classes:
            known = {
                operation_of(name)
                for name, _ in inspect.getmembers(kind, inspect.isfunction)
                if not name.startswith("_")
            }
            missing = known - left
            found += [f"{kind.__name__}.{name}" for name in sorted(missing)]
        return found
