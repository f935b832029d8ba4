"""``/metrics``, as Prometheus reads it."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families
from tradewind.sdk import configuration


def families(text: str) -> dict[str, list]:
    return {one.name: one.samples for one in text_string_to_metric_families(text)}


def test_nobody_reads_metrics_without_a_name_or_the_token(client, orders, monkeypatch):
    refused = client.get("/metrics")

    assert refused.status_code == 401
    assert "prometheus_token" in refused.text
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 401

    monkeypatch.setenv("AIRFLOW__METRICS__PROMETHEUS_TOKEN", "scrape-me")
    configuration.reset()
    assert client.get("/metrics", headers={"Authorization": "Bearer no"}).status_code == 401
    answer = client.get("/metrics", headers={"Authorization": "Bearer scrape-me"})
    assert answer.status_code == 200
    assert families(answer.text)["airflow_dagbag_size"][0].value == 1


def test_whoever_may_read_all_dags_reads_metrics(browser, store, orders, clock):
    store.processes.beat("scheduler", "scheduler-1", "host", 1, clock.now())
    clock.advance(seconds=7)
    browser.log_in("vic")

    found = families(browser.client.get("/metrics").text)

    assert found["airflow_scheduler_heartbeat_age_seconds"][0].value == 7
    [pool] = found["airflow_pool_open_slots"]
    assert pool.labels == {"pool_name": "default_pool"}
