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


ALIASES = """
from airflow.sdk import Asset, AssetAlias, asset, dag, task

ALIAS = AssetAlias("finds")
CLASHING = Asset("one", "s3://elsewhere")

@asset.multi(schedule=None, outlets=[Asset("one"), Asset("two")])
def both(context):
    return context["task"].task_id

@asset(schedule=Asset("one") & Asset("two"))
async def third(self, context, one):
    print("third is made of", one.uri, "and", len(context["inlet_events"][one]))

@dag(schedule=None)
def finder():
    @task(outlets=[ALIAS])
    def find(outlet_events):
        outlet_events[ALIAS].add(Asset("found", "s3://found"), extra={"n": 1})
    find()

@dag(schedule=ALIAS)
def listener():
    @task
    def hear(triggering_asset_events):
        (event,) = triggering_asset_events[ALIAS]
        assert event.asset.uri == "s3://found" and event.extra == {"n": 1}
    hear()

@dag(schedule=None)
def clashing():
    @task(outlets=[CLASHING])
    def clash():
        pass
    clash()

finder(); listener(); clashing()
"""


def test_aliases_several_outlets_and_an_asset_whose_name_is_taken(deployment) -> None:
    deployment.environment["TRADEWIND__CORE__DAGS_ARE_PAUSED_AT_CREATION"] = "false"
    deployment.write_dag("data.py", ALIASES)
    deployment.start()
    deployment.wait_until(lambda: len(deployment.rows("dags", "list")) == 5, "all DAGs")

    for dag_id in ("finder", "both", "clashing"):
        deployment.cli("dags", "trigger", dag_id)
    deployment.wait_for_run("listener")
    deployment.wait_for_run("third")
    deployment.wait_for_run("clashing", "failed")

    (log,) = deployment.home.rglob("dag_id=third/**/attempt=1.log")
    assert "third is made of one and 1" in log.read_text()
    (log,) = deployment.home.rglob("dag_id=clashing/**/attempt=1.log")
    assert "another asset has the name or the URI of these by now" in log.read_text()
    (row,) = deployment.rows("assets", "details", "--name", "two")
    assert (row["producing_tasks"], row["scheduled_dags"]) == (["both.both"], ["third"])
