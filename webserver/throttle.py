"""Limits how often somebody may try: wrong passwords, and requests."""

from __future__ import annotations

import re
import threading
from collections import deque
from dataclasses import dataclass

from ..sdk.configuration import conf
from ..sdk.errors import TradewindError

_UNITS_S = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
_RATE = re.compile(r"\s*(\d+)\s*(?:per|/)\s*(\d*)\s*(second|minute|hour|day)s?\s*")
#: So many keys are remembered; a flood of made-up names makes it forget, never grow.
KEYS_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Rate:
    """So many in so many seconds."""

    count: int
    seconds: float


def parse_rate(text: str) -> Rate:
    """Read "5 per 40 second".

    Raises:
        TradewindError: it has another form.
    """
    found = _RATE.fullmatch(text)
    if found is None or int(found[1]) < 1:
        raise TradewindError(f"{text!r} is no rate; write it as '5 per 40 second'")
    return Rate(int(found[1]), int(found[2] or 1) * _UNITS_S[found[3]])


class LoginThrottle:
    """Counts failed attempts per user and per address. Source: ``[fab] auth_rate_limit``."""

    def __init__(self, rate: Rate | None) -> None:
        """*rate* None: there is no limit."""
        self.rate = rate
        self._failures: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    @classmethod
    def from_configuration(cls) -> LoginThrottle:
        """Make one as the settings say.

        Raises:
            TradewindError: the setting is no rate.
        """
        if not conf.getboolean("fab", "auth_rate_limited"):
            return cls(None)
        return cls(parse_rate(conf.get("fab", "auth_rate_limit")))

    @property
    def window_s(self) -> int:
        """How long an attempt counts."""
        return int(self.rate.seconds) if self.rate else 0

    def is_open(self, keys: tuple[str, ...], now_s: float) -> bool:
        """Tell whether another attempt is allowed for all *keys*."""
        if self.rate is None:
            return True
        with self._lock:
            return all(len(self._recent(key, now_s)) < self.rate.count for key in keys)

    def record_failure(self, keys: tuple[str, ...], now_s: float) -> None:
        """Remember one failed attempt."""
        if self.rate is None:
            return
        with self._lock:
            if len(self._failures) > KEYS_MAX:
                self._failures.clear()
            for key in keys:
                self._failures.setdefault(key, deque(maxlen=self.rate.count)).append(now_s)

    def _recent(self, key: str, now_s: float) -> deque[float]:
        failures = self._failures.get(key, deque())
        while failures and failures[0] < now_s - self.window_s:
            failures.popleft()
        return failures


class RequestRate:
    """Lets so many requests of one key through in a time, evenly refilled (a token bucket)."""

    def __init__(self, rate: Rate | None) -> None:
        """*rate* None: there is no limit."""
        self.rate = rate
        self._buckets: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def wait_s(self, key: str, now_s: float) -> float:
        """Take one request of *key*; return 0, or in how many seconds it may come again."""
        if self.rate is None:
            return 0.0
        each_s = self.rate.seconds / self.rate.count
        with self._lock:
            if len(self._buckets) > KEYS_MAX:
                self._buckets.clear()
            left, seen_s = self._buckets.get(key, (float(self.rate.count), now_s))
            left = min(float(self.rate.count), left + max(0.0, now_s - seen_s) / each_s)
            if left < 1.0:
                self._buckets[key] = left, now_s
                return (1.0 - left) * each_s
            self._buckets[key] = left - 1.0, now_s
        return 0.0
