"""Metrics on their way to statsd and to an OpenTelemetry collector, both real listeners."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace

import pytest
from tradewind.planning.measure import COUNTER, TIMER, Measurement
from tradewind.scheduler.report_metrics import ReportMetrics
from tradewind.scheduler.telemetry import make_telemetry
from tradewind.sdk import configuration
from tradewind.sdk.clock import VirtualClock

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TAGS = {"dag_id": "sales", "task_id": "load"}
FOUND = [
    Measurement("ti.start", COUNTER, 1, "ti.start.sales.load", TAGS),
    Measurement("task.duration", TIMER, 12.5, "dag.sales.load.duration", TAGS, NOW, "r1"),
    Measurement("dagrun.duration.success", TIMER, 20, "", {"dag_id": "sales"}, NOW, "r1"),
]


@pytest.fixture(autouse=True)
def fresh_configuration(tmp_path, monkeypatch) -> Iterator[None]:
    monkeypatch.setenv("TRADEWIND_HOME", str(tmp_path))
    configuration.reset()
    yield
    configuration.reset()


@pytest.fixture
def statsd(monkeypatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(5)
        monkeypatch.setenv("AIRFLOW__METRICS__STATSD_ON", "True")
        monkeypatch.setenv("AIRFLOW__METRICS__STATSD_HOST", "127.0.0.1")
        monkeypatch.setenv("AIRFLOW__METRICS__STATSD_PORT", str(listener.getsockname()[1]))
        yield listener


def report(found: list[Measurement]) -> None:
    clock = VirtualClock(NOW)
    empty = SimpleNamespace(list=list, load_all=list)
    metrics = SimpleNamespace(count_events=lambda now: found)
    store = SimpleNamespace(metrics=metrics, pools=empty, workers=empty, files=empty)
    step = ReportMetrics(store, clock, gauge_interval_s=5.0, is_statsd_on=True)
    step.run(SimpleNamespace(now=NOW, is_sweep=True))


def heard(listener: socket.socket, until: str) -> list[str]:
    lines = []
    while not lines or until not in lines[-1]:
        lines.append(listener.recv(4096).decode())
    return lines


def test_statsd_hears_the_names_of_both_generations(statsd):
    report(FOUND)

    lines = heard(statsd, "total_parse_time")
    assert lines[0] == "airflow.scheduler_heartbeat:1|c"
    assert "airflow.ti.start:1|c" in lines
    assert "airflow.ti.start.sales.load:1|c" in lines
    assert "airflow.task.duration:12.5|ms" in lines
    assert "airflow.dag.sales.load.duration:12.5|ms" in lines
    assert "airflow.dagbag_size:0|g" in lines


def test_lists_say_what_is_sent(statsd, monkeypatch):
    monkeypatch.setenv(
        "AIRFLOW__METRICS__METRICS_ALLOW_LIST", "^scheduler_,^ti\\.start\\.,parse_time"
    )

    report(FOUND)

    assert heard(statsd, "total_parse_time") == [
        "airflow.scheduler_heartbeat:1|c",
        "airflow.ti.start.sales.load:1|c",
        "airflow.dag_processing.total_parse_time:0|g",
    ]


def test_datadog_and_influxdb_get_tags(statsd, monkeypatch):
    monkeypatch.setenv("AIRFLOW__METRICS__STATSD_DATADOG_ENABLED", "True")
    monkeypatch.setenv("AIRFLOW__METRICS__STATSD_DATADOG_TAGS", "env:test")
    report(FOUND[:1])
    assert "airflow.ti.start:1|c|#env:test,dag_id:sales,task_id:load" in heard(statsd, "parse_time")

    monkeypatch.setenv("AIRFLOW__METRICS__STATSD_DATADOG_ENABLED", "False")
    monkeypatch.setenv("AIRFLOW__METRICS__STATSD_INFLUXDB_ENABLED", "True")
    configuration.reset()
    report(FOUND[:1])
    assert "airflow.ti.start,dag_id=sales,task_id=load:1|c" in heard(statsd, "parse_time")


def test_a_collector_gets_metrics_and_a_trace_of_each_run(monkeypatch):
    got: dict[str, bytes] = {}
    all_came = threading.Event()

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got[self.path] = got.get(self.path, b"") + body
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()
            if len(got) == 2:
                all_came.set()

        def log_message(self, *arguments):
            pass

    server = HTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for section in ("METRICS", "TRACES"):
        monkeypatch.setenv(f"AIRFLOW__{section}__OTEL_ON", "True")
        monkeypatch.setenv(f"AIRFLOW__{section}__OTEL_HOST", "127.0.0.1")
        monkeypatch.setenv(f"AIRFLOW__{section}__OTEL_PORT", str(server.server_port))
    monkeypatch.setenv("AIRFLOW__METRICS__OTEL_INTERVAL_MILLISECONDS", "50")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    telemetry = make_telemetry()
    assert telemetry is not None

    telemetry.take(FOUND, [("dagbag_size", 3.0, {})])

    try:
        assert all_came.wait(20), sorted(got)
    finally:
        telemetry.close()
        server.shutdown()
        server.server_close()
    assert b"airflow.dagbag_size" in got["/v1/metrics"]
    assert b"airflow.ti.start" in got["/v1/metrics"]
    assert got["/v1/traces"].count(b"run_id") == 2


def test_without_a_collector_nothing_is_made():
    assert make_telemetry() is None
