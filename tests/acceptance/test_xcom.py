"""What tasks hand to each other: the same in every set-up. The tasks check what they are given."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("dag_id", ["kinds", "keys", "mapped_values"])
def test_what_is_given_is_what_is_taken(work, dag_id) -> None:
    run_id = work.trigger(dag_id)

    assert work.end_of(dag_id, run_id) == "success", {
        name: work.log(dag_id, run_id, name)
        for name, state in work.states(dag_id, run_id).items()
        if state == "failed"
    }


def test_a_megabyte_arrives_whole(work) -> None:
    run_id = work.trigger("large")

    assert work.end_of("large", run_id) == "success"
    assert work.xcom("large", run_id, "take") == 1_000_000


def test_what_bash_says_last_is_its_xcom(work) -> None:
    run_id = work.trigger("keys")

    assert work.end_of("keys", run_id) == "success"
    assert work.xcom("keys", run_id, "said") == "1"
    assert work.xcom("keys", run_id, "last_line") == "two"


def test_xcoms_of_earlier_runs_are_found_where_asked_for(work) -> None:
    for number in (1, 2, 3):
        run_id = f"run_{number}"
        date = f"2024-05-0{number}T00:00:00Z"
        work.trigger("earlier", dag_run_id=run_id, logical_date=date)
        assert work.end_of("earlier", run_id) == "success"

    assert work.xcom("earlier", "run_3", "remember") == 3


def test_a_clear_removes_the_xcoms_of_the_try_before(work) -> None:
    run_id = work.trigger("cleared")
    assert work.end_of("cleared", run_id) == "success"
    assert work.xcom("cleared", run_id, "take") == [1, 1]
    work.ask(
        "/dags/cleared/clearTaskInstances",
        {
            "dag_run_id": run_id,
            "only_failed": False,
            "dry_run": False,
            "reset_dag_runs": True,
        },
    )

    assert work.end_of("cleared", run_id) == "success"
    assert work.xcom("cleared", run_id, "take") == [2, None]
