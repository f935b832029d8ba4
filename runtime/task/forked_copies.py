"""What a process that a task forks must not inherit from it.

Such a process is a copy of the task's: it has its signal handlers, and the rest of the try in
front of it. Whoever forks expects neither.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

_masks_before = threading.local()


def leave_sigterm_behind(handler: Callable[..., Any]) -> None:
    """Let SIGTERM end what this process forks, as it does in any process that asked for nothing.

    Python forgets the signals that a new process gets before it runs its first line, where it
    has a handler for them. ``terminate()`` right after ``start()`` would have no effect, and a
    ``join()`` behind it would never end. So the signal is held back until the handler is gone.

    Args:
        handler: is taken away; a handler that the task itself has set stays.
    """

    def hold_back() -> None:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        _masks_before.sigterm = signal.SIGTERM in before

    def let_through() -> None:
        if not getattr(_masks_before, "sigterm", True):
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})

    def drop_handler() -> None:
        if signal.getsignal(signal.SIGTERM) is handler:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        let_through()

    os.register_at_fork(before=hold_back, after_in_parent=let_through, after_in_child=drop_handler)


@contextlib.contextmanager
def copies_end_here(log: logging.Logger) -> Iterator[None]:
    """End every process that was forked in the block, and would leave it in our place.

    A copy that came back from user code would call the callbacks and report the try a second
    time; in ``dag.test()`` it would run the rest of the DAG a second time.
    """
    pid = os.getpid()
    try:
        yield
    except BaseException as error:
        if os.getpid() != pid:
            _end_copy(log, error)
        raise
    if os.getpid() != pid:
        _end_copy(log, None)


def _end_copy(log: logging.Logger, error: BaseException | None) -> None:
    code = 0
    with contextlib.suppress(BaseException):
        if isinstance(error, SystemExit) and (error.code is None or isinstance(error.code, int)):
            code = int(error.code or 0) & 0xFF
        elif error is not None:
            code = 1
            log.error("A process that the task forked ended with an exception", exc_info=error)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(BaseException):
            stream.flush()
    os._exit(code)
