"""Which trigger's code runs now, written where it can be read when the process is dead.

All triggers share one process and one event loop, so whoever's code ran last when the process
ended (``os._exit``, a crash in a library) has ended it. Without knowing who, all would begin
again, and end again, for ever.
"""

from __future__ import annotations

import asyncio
import mmap
import struct
from collections.abc import Callable, Coroutine, Generator
from types import TracebackType
from typing import Any

_NUMBER = struct.Struct("=q")
#: No trigger has this number.
NOBODY = 0


class TurnRecord:
    """One number in a file that two processes have mapped."""

    def __init__(self, descriptor: int) -> None:
        """Map an open file that holds ``BYTES`` or more; the descriptor can be closed then."""
        self._shared = mmap.mmap(descriptor, self.BYTES)

    BYTES = _NUMBER.size

    def write(self, number: int) -> None:
        """Say whose turn it is."""
        _NUMBER.pack_into(self._shared, 0, number)

    def read(self) -> int:
        """Return whose turn it is, or was in the end."""
        return int(_NUMBER.unpack_from(self._shared, 0)[0])

    def close(self) -> None:
        """Give the memory back."""
        self._shared.close()


def record_turns(
    loop: asyncio.AbstractEventLoop, record: TurnRecord, whose: Callable[[], int | None]
) -> None:
    """Note each turn of each task of *loop*.

    Args:
        whose: returns the trigger that makes a task, asked when it does; None: nobody.
    """

    def make_task(
        loop: asyncio.AbstractEventLoop, coroutine: Any, **arguments: Any
    ) -> asyncio.Task[Any]:
        number = whose()
        if number is not None and asyncio.iscoroutine(coroutine):
            coroutine = _Noted(coroutine, number, record)
        return asyncio.Task(coroutine, loop=loop, **arguments)

    loop.set_task_factory(make_task)


class _Noted(Coroutine[Any, Any, Any]):
    """A coroutine that notes when it has its turn."""

    def __init__(self, inner: Coroutine[Any, Any, Any], number: int, record: TurnRecord) -> None:
        self._inner = inner
        self._number = number
        self._record = record

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)  # cr_frame and its like, for who shows stacks

    def send(self, value: Any) -> Any:
        self._record.write(self._number)
        try:
            return self._inner.send(value)
        finally:
            self._record.write(NOBODY)

    def throw(
        self,
        kind: Any,
        value: BaseException | object = None,
        traceback: TracebackType | None = None,
    ) -> Any:
        self._record.write(self._number)
        try:
            return self._inner.throw(kind if value is None else value)  # type: ignore[arg-type]
        finally:
            self._record.write(NOBODY)

    def close(self) -> None:
        self._inner.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._inner.__await__()
