"""``/metrics``: counters and gauges as Prometheus reads them, no sidecar needed.

Names are Airflow's with ``airflow_`` before them and dots as underscores. Who may read it:
whoever may read all DAGs, by any way to sign in, or a scraper that sends ``[metrics]
prometheus_token`` as its bearer token. Source: ``spec/config.md`` section 5.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator, Mapping

from flask import Blueprint, Response, g, request
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ..database.caller import Caller, caller
from ..database.gauges import read_gauges
from ..database.store import Store
from ..sdk.configuration import conf
from .auth import client_address
from .services import services

blueprint = Blueprint("metrics", __name__)

_NOT_ALLOWED = re.compile(r"[^a-zA-Z0-9_]")


@blueprint.get("/metrics")
def metrics() -> ResponseReturnValue:
    """Answer with all metrics as text."""
    if not _may_read():
        return Response(
            "Sign in, or send [metrics] prometheus_token as the bearer token.\n",
            401,
            {"WWW-Authenticate": 'Bearer realm="metrics"'},
            mimetype="text/plain",
        )
    registry = CollectorRegistry()
    registry.register(_Stored(services().store))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _may_read() -> bool:
    expected = str(conf.get("metrics", "prometheus_token", fallback=""))
    given = request.headers.get("Authorization", "")
    if expected and hmac.compare_digest(given.encode(), f"Bearer {expected}".encode()):
        caller.set(Caller(address=client_address(), changeable=frozenset()))  # reads all DAGs
        return True
    access = getattr(g, "access", None)
    return access is not None and access.dag_ids("can_read") is None


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
