"""What one DAG makes triggers another, with real processes, in the words of both generations."""

from __future__ import annotations

import pytest

DATASETS = """
from datetime import datetime
from pathlib import Path
from airflow import DAG, Dataset
from airflow.decorators import task

HERE = Path({folder!r})
DATA, OTHER = Dataset("s3://bucket/data"), Dataset("s3://bucket/other")

with DAG("producer", schedule=None, start_date=datetime(2024, 1, 1)):
    @task(outlets=[DATA])
    def make(number, outlet_events=None):
        outlet_events[DATA].extra = {{"number": number}}

    @task(outlets=[OTHER])
    def make_other():
        pass

    make.expand(number=[1, 2]) >> make_other()

with DAG("consumer", schedule=[DATA, OTHER], start_date=datetime(2024, 1, 1)):
    @task
    def use(triggering_dataset_events=None, dag_run=None, inlet_events=None, **context):
        events = triggering_dataset_events["s3://bucket/data"]
        numbers = sorted(event.extra["number"] for event in events)
        covers = dag_run.data_interval_start == events[0].source_dag_run.data_interval_start
        line = f"{{sorted(triggering_dataset_events)}} {{numbers}} {{covers}} {{dag_run.run_id}}"
        (HERE / "seen").write_text(line)
    use()
"""

ASSETS = """
from pathlib import Path
from airflow.sdk import Asset, Metadata, asset, dag, task

HERE = Path({folder!r})

@asset(schedule=None, uri="s3://bucket/data")
def producer(self, context):
    yield Metadata(self, {{"rows": 3}})

@dag(schedule=producer)
def consumer():
    @task(inlets=[producer])
    def use(triggering_asset_events, dag_run, inlet_events):
        (event,) = triggering_asset_events[producer]
        past = inlet_events[producer][-1]
        source = f"{{event.source_dag_id}}.{{event.source_task_id}}"
        line = f"{{event.extra}} {{source}} {{past.extra}} {{dag_run.logical_date}}"
        (HERE / "seen").write_text(f"{{line}} {{dag_run.run_id}}")
    use()
consumer()
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            DATASETS,
            "['s3://bucket/data', 's3://bucket/other'] [1, 2] True dataset_triggered__2",
        ),
        (ASSETS, "{'rows': 3} producer.producer {'rows': 3} None asset_triggered__2"),
    ],
    ids=["datasets", "assets"],
)
def test_a_producer_triggers_its_consumer(deployment, text, expected) -> None:
    deployment.write_dag("data.py", text.format(folder=str(deployment.home)))
    deployment.start()
    deployment.wait_until(lambda: len(deployment.rows("dags", "list")) == 2, "both DAGs")
    deployment.cli("dags", "unpause", "consumer")
    deployment.cli("dags", "unpause", "producer")

    deployment.cli("dags", "trigger", "producer")

    deployment.wait_for_run("consumer")
    assert (deployment.home / "seen").read_text().startswith(expected)
    assert deployment.run_states("consumer") == ["success"]
