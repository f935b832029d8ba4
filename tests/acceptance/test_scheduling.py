"""Which runs there are and in what order their tasks go: the same in every set-up."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import datetime
from typing import Any


def runs(work, dag_id: str) -> list[dict[str, Any]]:
    """Return the runs of a DAG, oldest first."""
    return work.ask(f"/dags/{dag_id}/dagRuns?limit=100&order_by=run_after")["dag_runs"]


def ended(work, dag_id: str, count: int) -> list[dict[str, Any]]:
    """Wait until so many runs of a DAG have ended; return all of them."""

    def all_ended() -> list[dict[str, Any]] | None:
        found = runs(work, dag_id)
        over = sum(one["state"] in ("success", "failed") for one in found)
        return found if over == len(found) == count else None

    return work.wait_until(all_ended, f"the end of {count} runs of {dag_id}")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_catchup_makes_each_interval_once_and_they_tile_the_time(work) -> None:
    found = ended(work, "caught_up", 5)

    assert {one["state"] for one in found} == {"success"}
    for one, following in itertools.pairwise(found):
        assert one["data_interval_end"] == following["data_interval_start"]
    for one in found:
        began, over, ds = work.xcom("caught_up", one["dag_run_id"], "interval")
        assert (at(began), at(over)) == (
            at(one["data_interval_start"]),
            at(one["data_interval_end"]),
        )
        assert began.startswith(ds)
    spans = [(at(one["start_date"]), at(one["end_date"])) for one in found]
    for began, _ in spans:  # max_active_runs=2
        assert sum(start <= began < end for start, end in spans) <= 2


def test_a_task_that_depends_on_its_past_waits_for_a_person_after_a_failure(work) -> None:
    dag_id = "in_order"

    def states() -> list[str]:
        return [
            work.states(dag_id, one["dag_run_id"])["one_after_another"]
            for one in runs(work, dag_id)
        ]

    work.wait_until(lambda: states()[:2] == ["success", "failed"], "the second day's failure")
    second, third = runs(work, dag_id)[1:]
    assert states()[2] is None
    work.ask(
        f"/dags/{dag_id}/dagRuns/{second['dag_run_id']}/taskInstances/one_after_another",
        {"new_state": "success"},
        "PATCH",
    )

    assert work.end_of(dag_id, third["dag_run_id"]) == "success"


def test_a_backfill_makes_the_runs_of_its_span_and_no_other(work) -> None:
    made = work.ask(
        "/backfills",
        {
            "dag_id": "filled",
            "from_date": "2024-03-01T00:00:00Z",
            "to_date": "2024-03-04T00:00:00Z",
            "max_active_runs": 2,
        },
    )

    def is_complete() -> bool:
        return work.ask(f"/backfills/{made['id']}")["completed_at"] is not None

    work.wait_until(is_complete, "the end of the backfill")
    found = [one for one in runs(work, "filled") if one["run_type"] == "backfill"]
    assert [one["logical_date"][:10] for one in found] == [
        f"2024-03-0{day}" for day in (1, 2, 3, 4)
    ]
    assert {one["state"] for one in found} == {"success"}
    assert work.xcom("filled", found[0]["dag_run_id"], "say") == "2024-03-01"


def test_runs_wait_for_each_other_where_one_may_be_active(work) -> None:
    for _ in range(3):
        work.trigger("one_run_at_a_time")

    found = ended(work, "one_run_at_a_time", 3)
    spans = sorted((at(one["start_date"]), at(one["end_date"])) for one in found)
    assert all(one[1] <= following[0] for one, following in itertools.pairwise(spans))


def test_every_trigger_rule_judges_a_success_a_failure_and_a_skip(work) -> None:
    run_id = work.trigger("rules")

    assert work.end_of("rules", run_id) == "failed"
    states = work.states("rules", run_id)
    assert (states["chosen"], states["other"], states["fails"]) == ("success", "skipped", "failed")
    below = {name.removeprefix("after_"): states[name] for name in states if "after_" in name}
    assert below == {
        "all_success": "upstream_failed",
        "all_failed": "skipped",
        "all_done": "success",
        "all_done_min_one_success": "skipped",
        "all_done_setup_success": "success",
        "all_skipped": "skipped",
        "always": "success",
        "none_failed": "upstream_failed",
        "none_failed_min_one_success": "upstream_failed",
        "none_skipped": "skipped",
        "one_done": "success",
        "one_failed": "success",
        "one_success": "success",
    }


def test_a_teardown_runs_after_a_failure(work) -> None:
    run_id = work.trigger("with_setup")

    assert work.end_of("with_setup", run_id) == "failed"
    assert work.states("with_setup", run_id) == {
        "make": "success",
        "breaks": "failed",
        "remove": "success",
    }
    assert "removing a cluster" in work.log("with_setup", run_id, "remove")


def test_a_run_that_takes_too_long_fails_and_its_tasks_end(work) -> None:
    run_id = work.trigger("too_long")

    assert work.end_of("too_long", run_id) == "failed"
    work.wait_until(
        lambda: not {"running", "queued", None} & set(work.states("too_long", run_id).values()),
        "the end of its tasks",
    )
    assert work.states("too_long", run_id)["sleeps"] == "skipped"


def test_a_pool_of_one_slot_gives_it_to_the_most_urgent(work) -> None:
    work.ask("/pools", {"name": "narrow", "slots": 1})
    run_id = work.trigger("in_a_pool")

    assert work.end_of("in_a_pool", run_id) == "success"
    rows = sorted(work.instances("in_a_pool", run_id).values(), key=lambda one: one["start_date"])
    assert [one["task_id"] for one in rows] == ["weight_3", "weight_2", "weight_1"]
    for one, following in itertools.pairwise(rows):
        assert at(one["end_date"]) <= at(following["start_date"])


def test_a_run_calls_another_and_waits_for_it(work) -> None:
    run_id = work.trigger("caller")

    assert work.end_of("caller", run_id) == "success"
    assert work.ask(f"/dags/called/dagRuns/from_{run_id}")["state"] == "success"
    assert work.xcom("called", f"from_{run_id}", "told") == "hello"


def test_a_sensor_sees_the_same_date_of_another_dag(work) -> None:
    (found,) = ended(work, "looks", 1)

    assert found["state"] == "success"


def test_an_asset_that_is_made_makes_one_run_that_knows_of_it(work) -> None:
    assert work.end_of("makes_goods", work.trigger("makes_goods")) == "success"

    (found,) = ended(work, "takes_goods", 1)
    assert (found["run_type"], found["state"]) == ("asset_triggered", "success")
    assert work.xcom("takes_goods", found["dag_run_id"], "take") == 3


def test_a_file_that_only_others_import_is_listed_with_the_reason(work) -> None:
    def said() -> str | None:
        lines = work.cli("dags", "list-import-errors", code=None).stderr.splitlines()
        return next((line for line in lines if "words.py" in line), None)

    assert "does not mention 'dag'" in work.wait_until(said, "the file in the list")


def test_no_slot_of_a_schedule_has_two_runs(work) -> None:
    """After all that: no DAG has two runs of one logical date."""
    found = work.ask("/dags/~/dagRuns?limit=1000")["dag_runs"]
    slots = Counter((one["dag_id"], one["logical_date"]) for one in found if one["logical_date"])

    assert slots
    assert [slot for slot, count in slots.items() if count > 1] == []
