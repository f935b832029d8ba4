"""What a process listens to: each descriptor with the function that hears it."""

from __future__ import annotations

import logging
import selectors
from collections.abc import Callable

log = logging.getLogger(__name__)


class Descriptors:
    """One selector; no failure of a function ends the loop that turns it."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()

    def listen(self, descriptor: int, callback: Callable[[], None]) -> None:
        """Have *callback* called whenever *descriptor* is readable."""
        self._selector.register(descriptor, selectors.EVENT_READ, callback)

    def forget(self, descriptor: int) -> None:
        """Listen to it no more; one that is not listened to is fine."""
        try:
            self._selector.unregister(descriptor)
        except (KeyError, ValueError):
            return

    def hear(self, wait_s: float) -> None:
        """Wait until something is readable, for *wait_s* seconds at most, and have it heard."""
        for key, _mask in self._selector.select(wait_s):
            try:
                key.data()
            except Exception:
                # Not to be heard again, or the loop would spin on it; deadlines still hold.
                log.exception("a message of a process could not be handled")
                self.forget(key.fd)

    def close(self) -> None:
        """Listen to nothing any more; the descriptors are their owners'."""
        self._selector.close()
