"""Step: count what the event log tells, and send metrics to whoever is configured to take them.

Counting goes on always, for ``/metrics``; gauges are sent every ``pool_metrics_interval``.
Source: ``spec/config.md`` section 5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ..database.gauges import Gauge, read_gauges
from ..planning.measure import COUNTER, Measurement
from ..sdk.clock import Clock, next_round_s
from ..sdk.stats import Stats
from .step import Store, Tick

#: What takes metrics besides statsd: OpenTelemetry, where it is configured.
Sink = Callable[[list[Measurement], list[Gauge]], None]

COUNT_INTERVAL_S = 1.0


class ReportMetrics:
    """One of several schedulers counts an entry; each of them says that it lives."""

    name = "report metrics"

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        gauge_interval_s: float,
        is_statsd_on: bool,
        sink: Sink | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._gauge_interval_s = gauge_interval_s
        self._is_statsd_on = is_statsd_on
        self._sink = sink
        self._next_count_s = 0.0
        self._next_gauges_s = 0.0

    def run(self, tick: Tick) -> None:
        """Count at most once a second; it is never what a task waits for."""
        now_s = self._clock.monotonic()
        if not tick.is_sweep or now_s < self._next_count_s:
            return
        self._next_count_s = next_round_s(now_s, COUNT_INTERVAL_S)
        found = self._store.metrics.count_events(tick.now)
        gauges: list[Gauge] = []
        if (self._is_statsd_on or self._sink) and now_s >= self._next_gauges_s:
            self._next_gauges_s = now_s + self._gauge_interval_s
            gauges = read_gauges(self._store, tick.now)
        if self._is_statsd_on:
            self._send(found, gauges)
        if self._sink is not None:
            self._sink(found, gauges)

    def _send(self, found: list[Measurement], gauges: list[Gauge]) -> None:
        Stats.incr("scheduler_heartbeat")
        for one in found:
            send = Stats.incr if one.kind == COUNTER else Stats.timing
            value: Any = int(one.value) if one.kind == COUNTER else one.value
            for name in _names(one.name, one.dotted):
                send(name, value, tags=one.tags if name == one.name else None)
        for name, number, tags in gauges:
            for full in _names(name, ".".join([name, *tags.values()]) if tags else ""):
                Stats.gauge(full, number, tags=tags if full == name else None)


def _names(name: str, dotted: str) -> Iterator[str]:
    yield name
    if dotted and dotted != name:
        yield dotted
