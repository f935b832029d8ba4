"""``execution_timeout``: an alarm around ``execute`` (semantics section 2.3)."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from ...sdk.exceptions import AirflowTaskTimeout


@contextmanager
def time_limit(
    seconds: float | None, *, on_expiry: Callable[[], None], log: logging.Logger
) -> Iterator[None]:
    """Raise ``AirflowTaskTimeout`` in the block once *seconds* are over; None: never.

    *on_expiry* is called before. Zero or less is over at once. Python's alarms reach the main
    thread only: in another one there is no limit here, and the runner's backstop remains.
    """
    if seconds is None:
        yield
        return
    if seconds <= 0:
        on_expiry()
        raise AirflowTaskTimeout("the time limit of the task was over before it began")
    if threading.current_thread() is not threading.main_thread():
        log.warning("The time limit of %s s is not watched outside of the main thread", seconds)
        yield
        return

    def expire(number: int, frame: FrameType | None) -> None:
        log.error("The task took longer than its time limit of %s s", seconds)
        on_expiry()
        raise AirflowTaskTimeout(f"the task took longer than its time limit of {seconds:g} s")

    handler_before = signal.signal(signal.SIGALRM, expire)
    timer_before = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler_before)
        if timer_before[0]:  # an alarm of someone else, to whom our time counts as well
            signal.setitimer(signal.ITIMER_REAL, *timer_before)
