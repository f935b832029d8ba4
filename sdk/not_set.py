"""The value that stands for "not given", where None is a value of its own."""

from __future__ import annotations

from typing import Any, Final


class ArgNotSet:
    """Type of ``NOTSET``. Falsy, one object a process, kept by copying and pickling."""

    _only: ArgNotSet | None = None

    def __new__(cls) -> ArgNotSet:
        if cls._only is None:
            cls._only = super().__new__(cls)
        return cls._only

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "NOTSET"

    def __copy__(self) -> ArgNotSet:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> ArgNotSet:
        return self

    def __reduce__(self) -> str:
        return "NOTSET"


class SetDuringExecution(ArgNotSet):
    """Type of ``SET_DURING_EXECUTION``: the value is known when the task runs."""

    _only = None

    def __repr__(self) -> str:
        return "DYNAMIC (set during execution)"

    def __reduce__(self) -> str:
        return "SET_DURING_EXECUTION"


NOTSET: Final = ArgNotSet()
SET_DURING_EXECUTION: Final = SetDuringExecution()


def is_arg_set(value: object) -> bool:
    """Tell whether an argument was given."""
    return not isinstance(value, ArgNotSet)
