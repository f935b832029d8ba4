"""All metrics of one database in Prometheus' text format."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ..database.gauges import read_gauges
from ..database.store import Store

CONTENT_TYPE = CONTENT_TYPE_LATEST

_NOT_ALLOWED = re.compile(r"[^a-zA-Z0-9_]")


def metrics_text(store: Store) -> bytes:
    """Return counters, gauges, and how long each kind of service has been silent."""
    registry = CollectorRegistry()
    registry.register(_Stored(store))
    return generate_latest(registry)


class _Stored(Collector):
    """Reads the database at each scrape."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def collect(self) -> Iterator[Metric]:
        """Yield one family for each name."""
        families: dict[str, Metric] = {}
        for name, labels, value in self._store.metrics.counters():
            family = families.setdefault(
                name, CounterMetricFamily(_name(name), f"Airflow's {name}")
            )
            _add(family, f"{_name(name)}_total", labels, value)
        now = self._store.clock.now()
        for name, value, labels in read_gauges(self._store, now):
            family = families.setdefault(name, GaugeMetricFamily(_name(name), f"Airflow's {name}"))
            _add(family, _name(name), labels, value)
        beats: dict[str, float] = {}
        for process in self._store.processes.list():
            age_s = (now - process.beat_at).total_seconds()
            beats[process.kind] = min(age_s, beats.get(process.kind, age_s))
        for kind, age_s in beats.items():
            name = f"{kind}.heartbeat_age_seconds"
            families[name] = GaugeMetricFamily(_name(name), f"Since the last sign of a {kind}")
            _add(families[name], _name(name), {}, age_s)
        yield from families.values()


def _name(name: str) -> str:
    return "airflow_" + _NOT_ALLOWED.sub("_", name)


def _add(family: Metric, name: str, labels: Mapping[str, str], value: float) -> None:
    family.add_sample(name, dict(labels), value)
