"""``Stats``: counters, gauges and timers of user code and providers, sent to statsd.

Settings in ``[metrics]``: ``statsd_on``, ``statsd_host``, ``statsd_port``, ``statsd_prefix``. A
datagram is sent and forgotten: metrics never hold a task up, nor fail it.
Source: ``spec/config.md`` section 5.
"""

from __future__ import annotations

import contextlib
import re
import socket
import time
from collections.abc import Mapping
from datetime import timedelta
from types import TracebackType
from typing import Any

from .configuration import conf

_NOT_ALLOWED = re.compile(r"[^A-Za-z0-9_.\-/]")
_LENGTH_MAX = 250


class Timer:
    """Measures a block; ``duration`` is in milliseconds afterwards."""

    def __init__(self, stat: str | None = None) -> None:
        self._stat = stat
        self._started_s = 0.0
        self.duration: float | None = None

    def start(self) -> Timer:
        """Begin."""
        self._started_s = time.perf_counter()
        return self

    def stop(self, send: bool = True) -> None:
        """End, and send what was measured."""
        self.duration = (time.perf_counter() - self._started_s) * 1000
        if send and self._stat:
            Stats.timing(self._stat, self.duration)

    __enter__ = start

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


class Stats:
    """Airflow's name for what metrics are given to; its methods are called on the class."""

    @classmethod
    def incr(
        cls, stat: str, count: int = 1, rate: float = 1, *, tags: Mapping[str, Any] | None = None
    ) -> None:
        """Add to a counter."""
        _send(stat, count, "c", tags)

    @classmethod
    def decr(
        cls, stat: str, count: int = 1, rate: float = 1, *, tags: Mapping[str, Any] | None = None
    ) -> None:
        """Take from a counter."""
        _send(stat, -count, "c", tags)

    @classmethod
    def gauge(
        cls,
        stat: str,
        value: float,
        rate: float = 1,
        delta: bool = False,
        *,
        tags: Mapping[str, Any] | None = None,
    ) -> None:
        """Set a gauge; with *delta*, change it."""
        _send(stat, f"+{value}" if delta and value >= 0 else value, "g", tags)

    @classmethod
    def timing(
        cls, stat: str, dt: float | timedelta | None, *, tags: Mapping[str, Any] | None = None
    ) -> None:
        """Send a length of time, in milliseconds."""
        if dt is not None:
            value = dt.total_seconds() * 1000 if isinstance(dt, timedelta) else dt
            _send(stat, value, "ms", tags)

    @classmethod
    def timer(
        cls, stat: str | None = None, *args: Any, tags: Mapping[str, Any] | None = None, **kw: Any
    ) -> Timer:
        """Return what measures a block."""
        return Timer(stat)


def _send(stat: str, value: object, kind: str, tags: Mapping[str, Any] | None) -> None:
    if not conf.getboolean("metrics", "statsd_on", fallback=False) or not _is_wanted(stat):
        return
    prefix = conf.get("metrics", "statsd_prefix", fallback="airflow")
    name = _NOT_ALLOWED.sub("_", f"{prefix}.{stat}")[:_LENGTH_MAX]
    line = _tagged(name, f"{value}|{kind}", tags or {})
    address = (
        conf.get("metrics", "statsd_host", fallback="localhost"),
        conf.getint("metrics", "statsd_port", fallback=8125),
    )
    # An OSError: nobody listens, or the name is not known. Nobody waits for a metric.
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.setblocking(False)
        out.sendto(line.encode(), address)


def _is_wanted(stat: str) -> bool:
    """Tell whether the lists let a name through: regular expressions, as in Airflow 3."""
    allowed = conf.getlist("metrics", "metrics_allow_list", fallback=[])
    if allowed:
        return any(re.search(pattern, stat) for pattern in allowed)
    blocked = conf.getlist("metrics", "metrics_block_list", fallback=[])
    return not any(re.search(pattern, stat) for pattern in blocked)


def _tagged(name: str, value: str, tags: Mapping[str, Any]) -> str:
    """Return the line as statsd, Datadog or InfluxDB reads it. Plain statsd knows no tags."""
    left_out = conf.getlist("metrics", "statsd_disabled_tags", fallback=[])
    pairs = [(key, str(tag)) for key, tag in tags.items() if key not in left_out and tag != ""]
    if conf.getboolean("metrics", "statsd_datadog_enabled", fallback=False):
        fixed = conf.getlist("metrics", "statsd_datadog_tags", fallback=[])
        shown = [*fixed, *(f"{key}:{tag}" for key, tag in pairs)]
        return f"{name}:{value}|#{','.join(shown)}" if shown else f"{name}:{value}"
    if conf.getboolean("metrics", "statsd_influxdb_enabled", fallback=False):
        name = ",".join([name, *(f"{key}={tag}" for key, tag in pairs)])
    return f"{name}:{value}"
