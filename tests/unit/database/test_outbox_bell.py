"""Whoever leaves a callback in the outbox wakes the parser, which delivers it."""

from __future__ import annotations

import pytest


@pytest.fixture
def rung(store, monkeypatch):
    """The names that the store rings."""
    names: list[str] = []
    monkeypatch.setattr(store.bell, "ring", lambda *some: names.extend(some))
    return names


def test_a_lost_failure_rings(house, task, rung):
    house.add(task("a", callbacks=["failure"]))
    house.run()
    [claim] = house.claim()

    house.finish(claim, "failed", has_run_callbacks=False)

    assert rung.count("parser") == 1


@pytest.mark.parametrize(("callbacks", "rings"), [(["success"], 1), (["failure"], 0)])
def test_the_end_of_a_run_rings_where_somebody_wants_to_hear_of_it(
    house, task, rung, callbacks, rings
):
    house.add(task("a"), callbacks=callbacks)
    house.run()
    [claim] = house.claim()

    house.finish(claim)

    assert rung.count("parser") == rings


def test_a_run_that_times_out_rings(house, task, rung):
    house.add(task("a"), callbacks=["failure"], dagrun_timeout_s=60.0)
    number = house.run()
    house.pass_time(minutes=2)

    house.store.runs.advance([number], house.now)

    assert house.run_state() == "failed"
    assert rung.count("parser") == 1
