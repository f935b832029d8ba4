"""A second loop in the process of another: what is at rest most of the time needs none of its own.

Each process of the family costs 20 MB, most of it memory that was shared at the fork and is
copied because Python counts references.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable

from ..runtime.supervise.outages import log_failure
from ..runtime.supervise.progress import Progress
from ..runtime.supervise.stop_request import StopRequest
from ..sdk.errors import TradewindError
from .process_keeper import HANG_TIMEOUT_S

log = logging.getLogger(__name__)

#: In a new home the process's own loop begins so much earlier: a cold start waits for it.
COLD_START_S = 3.0
#: After this long the process ends without it, before whoever keeps it kills both.
STOP_TIMEOUT_S = 3.0

#: What is run, until the request is made; it notes its turns.
Service = Callable[[Progress, StopRequest], int]


class ServiceThread:
    """Use as a context manager around the process's own loop.

    Where it fails, the process ends, and whoever keeps it starts both loops anew.
    """

    def __init__(self, name: str, run: Service, *, not_before_s: float = 0.0) -> None:
        """Prepare.

        Args:
            name: marks what it logs.
            not_before_s: the steady time at which it begins; 0: at once. A time, and not a pause:
                whoever is started again later must not wait once more.
        """
        self._run = run
        self._not_before_s = not_before_s
        self._progress = Progress()
        self._stop = StopRequest()
        self._is_stopped = threading.Event()
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_error: object) -> None:
        self._is_stopped.set()
        self._stop.make()
        self._thread.join(STOP_TIMEOUT_S)

    def progress_of_both(self, progress: Progress) -> Progress:
        """Return where the process's own loop notes its turns: they count while both go on."""
        return _ProgressOfBoth(progress, self._progress)

    def _serve(self) -> None:
        if self._is_stopped.wait(max(0.0, self._not_before_s - time.monotonic())):
            return
        try:
            self._run(self._progress, self._stop)
        except TradewindError as error:  # its text says what is to be done
            log.error("%s cannot go on: %s", self._thread.name, error)
            os._exit(1)
        except BaseException:  # noqa: BLE001 - log_failure tells
            log_failure(log, "%s failed", self._thread.name)
            os._exit(1)


class _ProgressOfBoth(Progress):
    """The sign of life of a process with two loops, given by one while the other lives, too."""

    def __init__(self, shown: Progress, other: Progress) -> None:
        self._shown = shown
        self._other = other

    def note(self, now_s: float) -> None:
        if self._other.silent_s(now_s) <= HANG_TIMEOUT_S:
            self._shown.note(now_s)
