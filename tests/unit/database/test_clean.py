"""Old history goes on request, and nothing that anybody still needs."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import timedelta

import pytest
from tradewind.database.clean import ALIASES, TABLES, CleanRequest


def finished_run(house, run_id: str, *, dag_id: str = "d", run_type: str = "scheduled") -> None:
    house.run(run_id, dag_id, run_type=run_type, logical_date=house.now)
    for claim in house.claim():
        house.finish(claim, rendered_fields={"x": "1"})


@pytest.fixture(autouse=True)
def no_archives_left(store):
    """A test's database may serve the next one: archives are no tables of ours."""
    yield
    for name in store.clean.archives():
        store.clean.drop_archive(name)


@pytest.fixture
def three_runs(house, task):
    """Two scheduled runs and one that still runs, one day each; now it is a day later."""
    house.add(task("a"))
    finished_run(house, "first")
    house.pass_time(days=1)
    finished_run(house, "second")
    house.pass_time(days=1)
    house.run("open", run_type="manual")
    house.pass_time(days=1)
    return house


def request(house, **changes) -> CleanRequest:
    changes.setdefault("before", house.now)
    return CleanRequest(**changes)


def run_ids(house, dag_id: str = "d") -> set[str]:
    return {run.run_id for run in house.store.runs.list(dag_id)}


def test_the_newest_scheduled_run_and_what_is_unfinished_stay(three_runs):
    house = three_runs

    cleaned = house.store.clean.remove(request(house), house.now, "user:test")

    assert run_ids(house) == {"second", "open"}
    assert cleaned.rows["dag_run"] == cleaned.rows["task_instance"] == cleaned.rows["attempt"] == 1
    assert house.states("open") == {"a": "scheduled"} or house.states("open") == {"a": "queued"}


def test_counting_removes_nothing_and_tells_what_removing_does(three_runs):
    house = three_runs
    found = house.store.clean.count(request(house))

    assert run_ids(house) == {"first", "second", "open"}
    cleaned = house.store.clean.remove(request(house), house.now, "user:test")
    of_runs = ("rendered_fields", "attempt", "xcom", "task_instance", "dag_run")
    assert {name: found[name] for name in of_runs} == {
        name: cleaned.rows.get(name, 0) for name in of_runs
    }


def test_what_went_is_kept_can_be_written_to_a_file_and_dropped(three_runs, tmp_path):
    house = three_runs
    cleaned = house.store.clean.remove(
        request(house, tables=["task_instance", "dag_run"]), house.now, "user:test"
    )

    assert house.store.clean.archives() == sorted(cleaned.archives.values())
    path = house.store.clean.export_archive(cleaned.archives["dag_run"], tmp_path)
    with path.open() as file:
        [row] = csv.DictReader(file)
    assert (row["dag_id"], row["run_id"]) == ("d", "first")
    for name in house.store.clean.archives():
        house.store.clean.drop_archive(name)
    assert house.store.clean.archives() == []


def test_without_an_archive_nothing_is_kept(three_runs):
    house = three_runs
    house.store.clean.remove(request(house, is_archived=False), house.now, "user:test")

    assert house.store.clean.archives() == []
    assert run_ids(house) == {"second", "open"}


def test_dags_can_be_chosen_and_left_out(three_runs, task):
    house = three_runs
    house.add(task("a"), dag_id="other")
    house.now -= timedelta(days=3)
    finished_run(house, "old", dag_id="other", run_type="manual")
    house.pass_time(days=3)

    left_out = request(house, excluded_dag_ids=["d"])
    house.store.clean.remove(left_out, house.now, "user:test")
    assert run_ids(house) == {"first", "second", "open"}
    assert run_ids(house, "other") == set()
    house.store.clean.remove(request(house, dag_ids=["other"]), house.now, "user:test")
    assert run_ids(house) == {"first", "second", "open"}


def test_small_batches_come_to_the_same_end(house, task):
    house.add(task("a"))
    for number in range(7):
        finished_run(house, f"run {number}", run_type="manual")
        house.pass_time(hours=1)

    small = replace(request(house), batch_size=2)
    cleaned = house.store.clean.remove(small, house.now, "user:test")

    assert run_ids(house) == set()
    assert cleaned.rows["dag_run"] == 7
    assert cleaned.rows["event"] > 7


def test_the_act_is_written_to_the_event_log(three_runs):
    house = three_runs
    house.store.clean.remove(request(house), house.now, "user:ada")

    [entry] = house.store.events.list(kinds=["db.cleaned"])
    assert entry.actor == "user:ada"
    assert entry.detail["rows"]["dag_run"] == 1


def test_names_of_airflows_tables_lead_to_ours():
    assert set(ALIASES.values()) <= set(TABLES)
