"""``dag.test()`` of DAGs whose tasks make assets, and of ``@asset`` functions."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tradewind.operators.python import PythonOperator
from tradewind.sdk.asset import Asset, AssetAlias, AssetNameRef, Dataset, Metadata
from tradewind.sdk.asset_decorator import asset
from tradewind.sdk.dag import DAG
from tradewind.sdk.dag_context import file_being_parsed
from tradewind.sdk.task_decorators import task

AT = datetime(2024, 1, 1, tzinfo=UTC)
RAW = Asset("raw", "s3://raw")


@pytest.fixture
def dag():
    with DAG("d", schedule=None, start_date=AT) as made:
        yield made


def events_of(run):
    return [(one["name"], one["extra"], one["aliases"]) for one in run.runtime.asset_events]


def test_what_a_task_made_is_seen_by_those_that_read_it(dag):
    seen = []

    def make(outlet_events):
        outlet_events[RAW].extra["rows"] = 3

    def read(inlet_events):
        past = inlet_events[RAW]
        seen.append((len(past), past[-1].extra, past[-1].source_task_id, past[-1].asset == RAW))
        seen.append(len(past.limit(1).ascending(False)))
        seen.append([len(inlet_events[key]) for key in (0, "s3://raw", AssetNameRef("raw"))])
        seen.append(len(inlet_events.for_asset(name="raw").after(datetime(2099, 1, 1, tzinfo=UTC))))

    first = PythonOperator(task_id="make", python_callable=make, outlets=[RAW])
    first >> PythonOperator(task_id="read", python_callable=read, inlets=[RAW])

    run = dag.test()

    assert run.state == "success"
    assert seen == [(1, {"rows": 3}, "make", True), 1, [1, 1, 1], 0]


def test_an_alias_makes_an_event_for_each_asset_that_was_added(dag):
    alias, second = AssetAlias("alias"), AssetAlias("second")

    @task(outlets=[alias, second])
    def make(outlet_events):
        outlet_events[alias].add(RAW, extra={"n": 1})
        outlet_events[second].add(RAW, extra={"n": 1})
        outlet_events[alias].add(Dataset("s3://other"))
        outlet_events[Asset("undeclared")].extra = {"n": 2}

    @task(outlets=[alias])
    def yield_one():
        yield Metadata(RAW, {"n": 3}, alias="alias")

    make() >> yield_one()

    assert events_of(dag.test()) == [
        ("raw", {"n": 1}, ["alias", "second"]),
        ("s3://other", {}, ["alias"]),
        ("raw", {"n": 3}, ["alias"]),
    ]


def test_each_instance_of_a_mapped_task_makes_an_event(dag):
    @task(outlets=[RAW])
    def make(number, outlet_events):
        outlet_events[RAW].extra = {"number": number}

    make.expand(number=[1, 2])

    run = dag.test()

    assert events_of(run) == [("raw", {"number": 1}, []), ("raw", {"number": 2}, [])]
    assert [one["source_map_index"] for one in run.runtime.asset_events] == [0, 1]


def test_a_function_that_returns_an_asset_has_made_it(dag):
    seen = []

    @task
    def make(outlet_events):
        outlet_events[RAW].extra = {"n": 1}
        return [RAW, Asset("second")]

    @task
    def read(made):
        seen.extend(made)

    read(make())

    run = dag.test()
    assert events_of(run) == [("raw", {"n": 1}, []), ("second", {}, [])]
    assert seen == [RAW, Asset("second")]


def test_a_task_that_fails_makes_no_event(dag):
    @task(outlets=[RAW])
    def make():
        raise ValueError("no")

    make()

    assert events_of(dag.test()) == []


def test_nothing_triggered_a_run_that_a_person_started(dag):
    seen = []

    @task
    def look(triggering_asset_events, triggering_dataset_events, **context):
        seen.append(triggering_asset_events == {} and triggering_dataset_events == {})
        seen.append(list(triggering_asset_events[RAW]))
        seen.append(len(context["inlet_events"]))
        seen.append(context["dag_run"].consumed_asset_events)

    look()

    assert dag.test().state == "success"
    assert seen == [True, [], 0, []]


def test_a_function_that_makes_an_asset_gets_itself_the_context_and_what_it_reads(tmp_path):
    seen = []
    with file_being_parsed(str(tmp_path / "assets.py")) as parsed:

        @asset(schedule=None, uri="s3://bucket/made")
        def made(self, context, ti, raw, rows=3):
            context["outlet_events"][self].extra = {"rows": rows}
            seen.append((self.uri, context["run_id"] == ti.run_id, raw.name))

        @asset.multi(schedule=None, outlets=[Asset("one"), Asset("two")])
        def both(context):
            yield Metadata(Asset("two"), {"by": context["task"].task_id})

    first, second = parsed.registered
    run = first.test()
    assert run.state == "success"
    assert seen == [("s3://bucket/made", True, "raw")]
    assert events_of(run) == [("made", {"rows": 3}, [])]
    assert events_of(second.test()) == [("one", {}, []), ("two", {"by": "both"}, [])]


def test_an_asynchronous_function_can_make_an_asset(tmp_path):
    with file_being_parsed(str(tmp_path / "assets.py")) as parsed:

        @asset(schedule=None)
        async def later(context):
            return context["dag"].dag_id

    (dag,) = parsed.registered
    run = dag.test()
    assert run.state == "success"
    assert events_of(run) == [("later", {}, [])]
