"""Whole runs of the system in a world where anything may die, and bugs that this must find.

Each world is made from its seed alone; a failure is replayed with ``play(seed)``. The bugs are
patches modelled on what other schedulers shipped: a simulation that lets one of them through is
not strong enough.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import replace

import pytest
from sim_invariants import Broken
from sim_kernel import Faults
from sim_world import World
from tradewind.database import assets, queueing, results, run_starts, state_writes, workers
from tradewind.database.values import AttemptResult
from tradewind.planning.choose import PoolSlots
from tradewind.runtime.supervise.runner import Runner
from tradewind.scheduler.lease_judge import LeaseJudge

HARD = Faults(
    kill=0.004,
    bell_lost=0.2,
    machine_sleeps=0.0005,
    store_fails=0.01,
    store_fails_after_commit=0.01,
    task_killed=0.1,
)
HARD_WORLDS = 10
SEEDS_PER_BUG = 12
#: Every few calls the caller does not hear that its transaction was committed.
DEAF = Faults(store_fails_after_commit=0.1)


@pytest.fixture(autouse=True)
def _quiet_logs():
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def play(seed: int, faults: Faults = HARD, *, has_user: bool = True) -> World:
    world = World(seed, faults, has_user=has_user)
    world.play()
    return world


@pytest.fixture(scope="module")
def hard_worlds() -> list[World]:
    """Worlds in which anything dies at any time; playing them checks every promise."""
    logging.disable(logging.CRITICAL)
    return [play(seed) for seed in range(HARD_WORLDS)]


@pytest.mark.parametrize("seed", range(2))
def test_without_faults_every_run_ends_and_no_limit_is_passed(seed):
    world = play(seed, Faults())

    assert world.kernel.deaths == 0
    assert len(world.witness.starts) > 10


def test_crashes_lost_bells_and_lost_answers_break_no_promise(hard_worlds):
    assert sum(world.kernel.deaths for world in hard_worlds) > 5 * HARD_WORLDS
    assert sum(len(world.witness.starts) for world in hard_worlds) > 10 * HARD_WORLDS


def test_the_faults_reach_every_common_change_of_state(hard_worlds):
    """Else the simulation would quietly stop to test."""
    edges: Counter[tuple[str, str]] = sum(
        (world.invariants.edges for world in hard_worlds), Counter()
    )

    wanted = {
        ("none", "scheduled"),
        ("scheduled", "queued"),
        ("queued", "running"),
        ("running", "success"),
        ("running", "failed"),
        ("running", "skipped"),
        ("running", "up_for_retry"),
        ("running", "scheduled"),
        ("running", "restarting"),
        ("none", "upstream_failed"),
        ("success", "none"),
    }
    assert wanted - edges.keys() == set()


def test_a_seed_replays_step_by_step(hard_worlds):
    first, second = hard_worlds[1], play(1)

    assert first.kernel.trace == second.kernel.trace
    assert first.witness.starts == second.witness.starts


def find_bug(faults: Faults = HARD, *, has_user: bool = True) -> str:
    """Return what the first world that breaks says, an empty text if none does."""
    for seed in range(SEEDS_PER_BUG):
        try:
            play(seed, faults, has_user=has_user)
        except Broken as broken:
            return str(broken)
    return ""


def test_a_late_result_that_overwrites_a_finished_state_is_found(monkeypatch):
    def judge_without_fence(self, position, result, row):
        held = state_writes.held_from(row)
        self._moves.append((self._verdict(held, result, row), result, row))

    monkeypatch.setattr(results.ResultWriter, "_judge", judge_without_fence)
    monkeypatch.setattr(state_writes, "check_transition", lambda old, new, *, by_user: None)

    assert find_bug(DEAF).startswith("I-2/I-5")


def test_an_event_that_waits_on_although_it_was_consumed_is_found(monkeypatch):
    consume = assets._consume

    def consume_all_but_one(connection, dag_id, dag_run_id, event_ids):
        consume(connection, dag_id, dag_run_id, event_ids[1:])
        statement = "INSERT INTO asset_consumption VALUES (?, ?)"
        connection.exec_driver_sql(statement, (dag_run_id, event_ids[0]))

    monkeypatch.setattr(assets, "_consume", consume_all_but_one)

    assert find_bug().startswith("I-23: (event")


def test_a_pool_that_counts_only_running_ones_is_found(monkeypatch):
    load_limits = queueing.load_limits

    def count_running_only(connection, settings):
        limits = load_limits(connection, settings)
        running = Counter()
        statement = "SELECT pool, pool_slots FROM task_instance WHERE state = 'running'"
        for pool, slots in connection.exec_driver_sql(statement):
            running[pool] += slots
        pools = {name: PoolSlots(pool.total, running[name]) for name, pool in limits.pools.items()}
        return replace(limits, pools=pools)

    monkeypatch.setattr(queueing, "load_limits", count_running_only)

    assert find_bug().startswith("I-13: pool")


def test_runs_started_without_counting_those_that_run_are_found(monkeypatch):
    none = run_starts._RUNNING.where(run_starts.dag_run.c.id < 0)
    monkeypatch.setattr(run_starts, "_RUNNING", none)

    assert "running runs" in find_bug()


def test_a_judge_of_leases_that_slept_is_found(monkeypatch):
    """The machine sleeps, and wakes up with every lease over: no task may be lost by that."""
    monkeypatch.setattr(LeaseJudge, "tick", lambda self, now, now_s: True)
    monkeypatch.setattr(LeaseJudge, "may_judge", lambda self, now_s: True)
    sleepy = Faults(machine_sleeps=0.002)

    assert find_bug(sleepy, has_user=False).startswith("R4")


def test_claims_of_a_lost_answer_that_nobody_settles_are_found(monkeypatch):
    monkeypatch.setattr(Runner, "_settle_doubt", lambda self: None)

    assert find_bug(DEAF, has_user=False).startswith("I-16")


def test_a_lost_try_that_is_given_back_although_it_had_begun_is_found(monkeypatch):
    def lose_unused(*values, **named):
        return AttemptResult(*values, has_entered=False, **named)

    monkeypatch.setattr(workers, "AttemptResult", lose_unused)

    assert find_bug(has_user=False).startswith("I-9")
