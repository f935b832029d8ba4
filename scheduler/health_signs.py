"""Whether the scheduler is at work, as its own loop sees it: what its ``/health`` answers."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from ..sdk.clock import Clock
from ..sdk.configuration import conf
from ..sdk.errors import ConfigurationError

PORT_MAX: Final = 65_535


class SignsOfLife:
    """When the scheduler was last known to be at work. Written by its loop, read by the server."""

    def __init__(self, clock: Clock, threshold_s: float) -> None:
        """Args: threshold_s: a sign older than this says that the scheduler is not at work."""
        self._clock = clock
        self._threshold_s = threshold_s
        self._last: tuple[float, datetime] | None = None

    def note(self) -> None:
        """Note that it is at work now."""
        self._last = (self._clock.monotonic(), self._clock.now())

    def read(self) -> tuple[bool, datetime | None]:
        """Return whether it is at work, and the instant of its last sign (None: none yet)."""
        last = self._last  # once: the loop may replace it meanwhile
        if last is None:
            return False, None
        return self._clock.monotonic() - last[0] <= self._threshold_s, last[1]


def health_address() -> tuple[str, int] | None:
    """Return host and port where the scheduler's health is asked for, None: nowhere.

    Raises:
        ConfigurationError: the port is none.
    """
    if not conf.getboolean("scheduler", "enable_health_check"):
        return None
    port = conf.getint("scheduler", "scheduler_health_check_server_port")
    if not 0 <= port <= PORT_MAX:
        raise ConfigurationError(
            "[scheduler] scheduler_health_check_server_port is a number from 0 (any that is free)"
            f" to {PORT_MAX}, not {port}"
        )
    return conf.get("scheduler", "scheduler_health_check_server_host"), port
