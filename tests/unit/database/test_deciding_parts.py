"""Runs of large DAGs: the end of a task reads and asks what it concerns, and nothing is missed."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from tradewind.database import settle, touched
from tradewind.database.values import XComWrite


@pytest.fixture
def read(monkeypatch) -> list[int]:
    """Each reading of a run: of how many task instances."""
    counts: list[int] = []
    load_run = settle.load_run

    def counting(*arguments):
        loaded = load_run(*arguments)
        counts.append(sum(len(rows) for rows in loaded.snapshot.instances.values()))
        return loaded

    monkeypatch.setattr(settle, "load_run", counting)
    return counts


def chain(task, length: int):
    return [task("t0"), *(task(f"t{n}", f"t{n - 1}") for n in range(1, length))]


def finish_all(house, claims) -> None:
    waiting = list(claims)
    while waiting:
        waiting.extend(house.finish(waiting.pop(), limit=1).claims)


def test_each_task_of_a_long_chain_is_decided_by_its_neighbours(house, task, read):
    house.add(*chain(task, touched.PART_TASKS_MIN))
    house.run()
    claims = house.claim()
    read.clear()

    while claims:
        claims = house.finish(claims[0], limit=9).claims

    assert house.run_state() == "success"
    assert read[: touched.PART_TASKS_MIN - 1] == [2] + [3] * (touched.PART_TASKS_MIN - 2)


def test_a_wide_run_ends_with_its_last_task_and_is_not_read_whole_before(house, task, read):
    house.add(*(task(f"t{n}") for n in range(80)), max_active_tasks=100)
    house.run()
    first, *others = house.claim()
    read.clear()

    finish_all(house, others)

    assert read == [1] * 79
    assert house.run_state() == "running"
    house.finish(first)
    assert house.run_state() == "success"


def test_a_skip_reaches_the_end_of_a_large_dag_in_the_same_commit(house, task):
    house.add(
        task("branch", can_skip_downstream=True),
        task("kept", "branch"),
        *(task(f"t{n}", f"t{n - 1}" if n else "branch") for n in range(80)),
    )
    house.run()
    [claim] = house.claim()

    house.finish(
        claim,
        limit=9,
        skip_task_ids=["t0"],
        xcoms=[XComWrite("skipmixin_key", json.dumps({"followed": ["kept"]}))],
    )

    states = house.states()
    assert states.pop("kept") == "running"
    assert states.pop("branch") == "success"
    assert set(states.values()) == {"skipped"}


def test_a_retry_that_waits_is_not_forgotten_while_others_end(house, task):
    house.add(
        task("again", retries=1, retry_delay_s=60.0, effective_priority_weight=9),
        *(task(f"t{n}") for n in range(80)),
        max_active_tasks=100,
    )
    number = house.run()
    claims = {one.task_id: one for one in house.claim()}

    house.finish(claims.pop("again"), "failed")
    due_at = house.store.runs.next_timer_at(house.now)
    finish_all(house, [*claims.values(), *house.claim()])

    assert due_at is not None
    assert due_at - house.now >= timedelta(seconds=60)
    assert house.store.runs.next_timer_at(house.now) == due_at
    assert house.run_state() == "running"
    house.pass_time(seconds=61)
    house.store.runs.advance([number], house.now)
    [claim] = house.claim()
    house.finish(claim)
    assert house.run_state() == "success"


def test_what_waits_for_a_failure_that_does_not_come_is_skipped(house, task):
    house.add(*(task(f"t{n}") for n in range(80)), task("z", "t0", trigger_rule="one_failed"))
    house.run()

    finish_all(house, house.claim())

    assert house.states()["z"] == "skipped"
    assert house.run_state() == "success"
