"""Sends metrics and spans to an OpenTelemetry collector: the extra ``[otel]``.

Metrics have their Airflow 3 names and tags. A trace is one dag run: a span for it, and below it
one for each try that ended, at the times at which they really ran.
Source: ``spec/config.md`` section 5, and its tables [metrics] and [traces].
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from ..database.gauges import Gauge
from ..planning.measure import COUNTER, TIMER, Measurement
from ..sdk.configuration import conf
from ..sdk.errors import ConfigurationError
from .report_metrics import Sink

#: Longer names are cut, as Airflow does.
NAME_LENGTH_MAX = 63
_NANOSECONDS = 1_000_000_000


class Telemetry:
    """Whatever is switched on. ``close`` sends what is left, and ends the threads that send."""

    def __init__(self, parts: Sequence[tuple[Sink, Callable[[], object]]]) -> None:
        self._parts = parts

    def take(self, found: list[Measurement], gauges: list[Gauge]) -> None:
        """Hand on what was counted, and what is so now."""
        for sink, _ in self._parts:
            sink(found, gauges)

    def close(self) -> None:
        """Send what is left."""
        for _, shut_down in self._parts:
            shut_down()


def make_telemetry() -> Telemetry | None:
    """Return what takes metrics and spans, None where neither is switched on.

    Raises:
        ConfigurationError: one is on, and the extra is not installed.
    """
    parts: list[tuple[Sink, Callable[[], object]]] = []
    for section, make in (("metrics", _make_metric_sink), ("traces", _make_span_sink)):
        if conf.getboolean(section, "otel_on"):
            try:
                parts.append(make())
            except ImportError as error:
                raise ConfigurationError(
                    f"[{section}] otel_on is on, but OpenTelemetry is not installed:"
                    " pip install 'tradewind[otel]'"
                ) from error
    return Telemetry(parts) if parts else None


def _endpoint(section: str, what: str) -> str:
    scheme = "https" if conf.getboolean(section, "otel_ssl_active") else "http"
    return (
        f"{scheme}://{conf.get(section, 'otel_host')}:{conf.getint(section, 'otel_port')}/v1/{what}"
    )


def _make_metric_sink() -> tuple[Sink, Callable[[], object]]:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.resources import Resource

    reader = PeriodicExportingMetricReader(
        OTLPMetricExporter(endpoint=_endpoint("metrics", "metrics")),
        export_interval_millis=conf.getfloat("metrics", "otel_interval_milliseconds"),
    )
    resource = Resource.create({"service.name": conf.get("metrics", "otel_service")})
    provider = MeterProvider([reader], resource=resource)
    meter: Any = provider.get_meter("tradewind")
    prefix = conf.get("metrics", "otel_prefix")
    instruments: dict[tuple[str, str], Any] = {}

    def instrument(kind: str, name: str) -> Any:
        if (kind, name) not in instruments:
            make: Callable[[str], Any] = getattr(meter, f"create_{kind}")
            instruments[kind, name] = make(f"{prefix}.{name}"[:NAME_LENGTH_MAX])
        return instruments[kind, name]

    def take(found: list[Measurement], gauges: list[Gauge]) -> None:
        for one in found:
            if one.kind == COUNTER:
                instrument("counter", one.name).add(one.value, dict(one.tags))
            else:
                instrument("histogram", one.name).record(one.value, dict(one.tags))
        for name, value, tags in gauges:
            instrument("gauge", name).set(value, dict(tags))

    return take, provider.shutdown


def _make_span_sink() -> tuple[Sink, Callable[[], object]]:
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator

    class _Ids(IdGenerator):
        """The span of a run gets an id that its tasks' spans, sent before it, already name."""

        def __init__(self) -> None:
            self.run: tuple[int, int] | None = None
            self._random = RandomIdGenerator()

        def generate_span_id(self) -> int:
            return self.run[1] if self.run else self._random.generate_span_id()

        def generate_trace_id(self) -> int:
            return self.run[0] if self.run else self._random.generate_trace_id()

    ids = _Ids()
    resource = Resource.create({"service.name": conf.get("traces", "otel_service")})
    provider = TracerProvider(resource=resource, id_generator=ids)
    provider.add_span_processor(
        BatchSpanProcessor(OTLPSpanExporter(endpoint=_endpoint("traces", "traces")))
    )
    tracer = provider.get_tracer("tradewind")

    def take(found: list[Measurement], gauges: list[Gauge]) -> None:
        for one in found:
            if one.kind != TIMER or one.begin_at is None:
                continue
            run = _ids_of_run(one.tags.get("dag_id", ""), one.run_id)
            attributes = {**one.tags, "run_id": one.run_id}
            start = _nanoseconds(one.begin_at)
            end = start + int(one.value * 1_000_000)
            if one.name == "task.duration":
                above = trace.NonRecordingSpan(
                    trace.SpanContext(*run, False, trace.TraceFlags(trace.TraceFlags.SAMPLED))
                )
                name, context, ids.run = one.tags["task_id"], trace.set_span_in_context(above), None
            elif one.name.startswith("dagrun.duration."):
                name, context, ids.run = one.tags["dag_id"], None, run
            else:
                continue
            tracer.start_span(name, context, attributes=attributes, start_time=start).end(end)
            ids.run = None

    return take, provider.shutdown


def _ids_of_run(dag_id: str, run_id: str) -> tuple[int, int]:
    digest = hashlib.blake2b(f"{dag_id}\0{run_id}".encode(), digest_size=24).digest()
    return int.from_bytes(digest[:16]), int.from_bytes(digest[16:])


def _nanoseconds(instant: datetime) -> int:
    return int(instant.timestamp() * _NANOSECONDS)
