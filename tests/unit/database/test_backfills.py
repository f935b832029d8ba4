"""Backfills (semantics 10.7, example 10.4)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tradewind.database.errors import NotAllowed
from tradewind.planning.plan_runs import PlannedRun
from tradewind.sdk.states import RunType

DAY = timedelta(days=1)


def days(*numbers):
    starts = [datetime(2024, 1, number, tzinfo=UTC) for number in numbers]
    return [
        PlannedRun(f"backfill__{at.isoformat()}", RunType.BACKFILL, at + DAY, at, at, at + DAY)
        for at in starts
    ]


def create(house, runs, **fields):
    fields.setdefault("max_active_runs", 10)
    return house.store.backfills.create(
        "d",
        runs,
        from_at=min(run.logical_date for run in runs),
        to_at=max(run.logical_date for run in runs),
        now=house.now,
        actor="user:me",
        **fields,
    )


def work(house, outcome="success"):
    """Run all that can be run, and return run ids in the order of starting."""
    seen = []
    house.store.runs.start_queued(house.now)
    while claims := house.claim():
        for claim in claims:
            if claim.run_id not in seen:
                seen.append(claim.run_id)
            house.finish(claim, outcome)
    return seen


def test_every_day_becomes_one_run_with_its_own_interval(house, task):
    house.add(task("a"), task("b", "a"))

    number = create(house, days(1, 2, 3))
    work(house)

    runs = house.store.runs.list("d", order="logical_date")
    assert [run.state for run in runs] == ["success"] * 3
    assert [run.data_interval_end - run.data_interval_start for run in runs] == [DAY] * 3
    done = house.store.backfills.get(number)
    assert (done.counts, done.completed_at) == ({"success": 3}, house.now)


def test_a_second_one_over_the_same_days_makes_none(house, task):
    house.add(task("a"))
    create(house, days(1, 2))
    work(house)

    with pytest.raises(NotAllowed, match="no runs to create"):
        create(house, days(1, 2))
    assert len(house.store.runs.list("d")) == 2


def test_a_plan_says_what_would_happen_and_writes_nothing(house, task):
    house.add(task("a"))
    create(house, days(2))
    work(house)

    def plan(behavior):
        entries = house.store.backfills.plan("d", days(1, 2, 3), behavior)
        return [entry.action for entry in entries]

    assert plan("none") == ["create", "exists", "create"]
    assert plan("failed") == ["create", "exists", "create"]
    assert plan("completed") == ["create", "reprocess", "create"]
    assert len(house.store.runs.list("d")) == 1


def test_reprocessing_clears_the_finished_run(house, task):
    house.add(task("a"))
    house.run("scheduled__x", run_type="scheduled", logical_date=days(1)[0].logical_date)
    work(house)

    create(house, days(1, 2), reprocess_behavior="completed", conf={"k": 1})
    work(house)

    again = house.store.runs.get("d", "scheduled__x")
    assert (again.run_type, again.state, again.conf) == ("backfill", "success", {"k": 1})
    assert house.one("a", "scheduled__x").try_number == 2


def test_it_obeys_its_own_limit_and_not_the_dags(house, task):
    house.add(task("a"), max_active_runs=1)
    house.run("manual")
    create(house, days(1, 2, 3, 4), max_active_runs=2)

    house.store.runs.start_queued(house.now)

    states = [run.state for run in house.store.runs.list("d", order="run_after")]
    assert sorted(states) == ["queued", "queued", "running", "running", "running"]


def test_runs_start_in_the_order_given(house, task):
    house.add(task("a"))
    create(house, days(3, 2, 1), max_active_runs=1, is_reverse=True)

    assert [run_id[:20] for run_id in work(house)] == [
        "backfill__2024-01-03",
        "backfill__2024-01-02",
        "backfill__2024-01-01",
    ]


def test_a_paused_dag_is_no_obstacle(house, task):
    house.add(task("a"), is_paused_upon_creation=True)
    create(house, days(1))

    assert len(work(house)) == 1


def test_a_paused_backfill_starts_nothing_new(house, task):
    house.add(task("a"))
    number = create(house, days(1, 2), max_active_runs=1)
    house.store.runs.start_queued(house.now)
    house.store.backfills.set_paused(number, True, house.now, "user:me")

    assert len(work(house)) == 1

    house.store.backfills.set_paused(number, False, house.now, "user:me")
    assert len(work(house)) == 1
    assert house.store.backfills.get(number).completed_at is not None


def test_cancelling_fails_what_is_queued_and_lets_the_rest_finish(house, task):
    house.add(task("a"))
    number = create(house, days(1, 2), max_active_runs=1)
    house.store.runs.start_queued(house.now)

    house.store.backfills.cancel(number, house.now, "user:me")
    work(house)

    runs = house.store.runs.list("d", order="logical_date")
    assert [run.state for run in runs] == ["success", "failed"]


def test_a_dag_has_one_backfill_at_a_time(house, task):
    house.add(task("a"))
    create(house, days(1))

    with pytest.raises(NotAllowed, match="is not finished"):
        create(house, days(2))


def test_its_first_run_ignores_the_past_and_the_next_waits_for_it(house, task):
    house.add(task("a", depends_on_past=True))
    create(house, days(1, 2))
    house.store.runs.start_queued(house.now)
    [first] = house.claim()
    assert first.run_id.startswith("backfill__2024-01-01")

    finished = house.finish(first, limit=1)

    assert finished.claims[0].run_id.startswith("backfill__2024-01-02")
