"""Values that are known only when the task runs: the root of XComArg, DagParam and literal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .abstract_operator import AbstractOperator


class ResolveMixin:
    """A value that ``resolve(context)`` turns into a real one, just before ``execute``."""

    def iter_references(self) -> Iterable[tuple[AbstractOperator, str]]:
        """Yield (operator, XCom key) for each task result that the value is made of."""
        return ()

    def resolve(self, context: Mapping[str, Any]) -> Any:
        """Return the real value for the task instance that *context* describes."""
        raise NotImplementedError


class LiteralValue(ResolveMixin):
    """A value that the template engine leaves as it is."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def resolve(self, context: Mapping[str, Any]) -> Any:
        return self.value


def literal(value: Any) -> LiteralValue:
    """Keep *value* from being rendered as a template."""
    return LiteralValue(value)
