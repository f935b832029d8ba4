"""Bugs that others shipped, planted one by one: each must be found, or the worlds are too tame.

The same worlds pass without them (``test_simulation.py``, and the first test here). Those that take
long to be found are marked slow: ``pytest tests/simulation -m "slow or not slow"``.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, timedelta
from functools import partial

import pytest
import sim_world
from sim_kernel import Faults
from sim_play import CALM, DEAF, HARD, find_bug, play
from sqlalchemy import func, select, update
from tradewind.database import (
    assets,
    dag_files,
    queueing,
    results,
    run_starts,
    state_writes,
    triggers,
    workers,
)
from tradewind.database.tables import dag, dag_run, dag_version, trigger
from tradewind.database.values import AttemptResult
from tradewind.planning import decide, upstream
from tradewind.planning.choose import PoolSlots
from tradewind.planning.snapshot import RunTransition
from tradewind.runtime.supervise.runner import Runner
from tradewind.scheduler.advance_runs import AdvanceRuns
from tradewind.scheduler.create_due_runs import CreateDueRuns
from tradewind.scheduler.lease_judge import LeaseJudge
from tradewind.sdk.states import DagRunState
from tradewind.sdk.timetables import cron_ticks
from tradewind.sdk.trigger_rules import Verdict


@pytest.fixture(autouse=True)
def _short_healing(monkeypatch):
    """What does not end in this time does not end; 900 s cost much for bugs that wait for ever."""
    monkeypatch.setattr(sim_world, "HEALING_S", 300.0)


@pytest.mark.parametrize("faults", [DEAF, Faults(machine_sleeps=0.01), Faults(bell_lost=0.5)])
def test_without_a_bug_the_worlds_of_these_tests_hold(faults):
    assert [play(seed, faults, has_user=False).kernel.failure for seed in range(2)] == [None, None]


# -- the store ------------------------------------------------------------------------------------


def test_a_late_result_that_overwrites_a_finished_state(monkeypatch):
    def judge_without_fence(self, position, result, row):
        held = state_writes.held_from(row)
        self._moves.append((self._verdict(held, result, row), result, row))

    monkeypatch.setattr(results.ResultWriter, "_judge", judge_without_fence)
    monkeypatch.setattr(state_writes, "check_transition", lambda old, new, *, by_user: None)

    assert find_bug(DEAF).startswith("I-2/I-5")


def test_a_hand_out_without_a_new_epoch(monkeypatch):
    queue = state_writes.queue

    def queue_again(held, *values, **named):
        move = queue(held, *values, **named)
        return replace(move, values={**move.values, "epoch": max(1, held.epoch)})

    monkeypatch.setattr(state_writes, "queue", queue_again)

    assert "UNIQUE constraint failed: attempt" in find_bug()


def test_an_event_that_waits_on_although_it_was_consumed(monkeypatch):
    consume = assets._consume

    def consume_all_but_one(connection, dag_id, dag_run_id, event_ids):
        consume(connection, dag_id, dag_run_id, event_ids[1:])
        statement = "INSERT INTO asset_consumption VALUES (?, ?)"
        connection.exec_driver_sql(statement, (dag_run_id, event_ids[0]))

    monkeypatch.setattr(assets, "_consume", consume_all_but_one)

    assert find_bug().startswith("I-23: (event")


def plant_in_limits(monkeypatch, change) -> None:
    load_limits = queueing.load_limits
    monkeypatch.setattr(
        queueing,
        "load_limits",
        lambda connection, settings, **how: change(
            connection, load_limits(connection, settings, **how)
        ),
    )


def test_a_pool_that_counts_only_running_ones(monkeypatch):
    def count_running_only(connection, limits):
        running = Counter()
        statement = "SELECT pool, pool_slots FROM task_instance WHERE state = 'running'"
        for pool, slots in connection.exec_driver_sql(statement):
            running[pool] += slots
        pools = {name: PoolSlots(pool.total, running[name]) for name, pool in limits.pools.items()}
        return replace(limits, pools=pools)

    plant_in_limits(monkeypatch, count_running_only)

    assert find_bug().startswith("I-13: pool")


def test_a_limit_of_one_task_that_is_not_counted(monkeypatch):
    plant_in_limits(monkeypatch, lambda _connection, limits: replace(limits, used_by_task={}))

    assert "are active, 1 may be" in find_bug()


def test_a_limit_of_one_run_that_is_not_counted(monkeypatch):
    plant_in_limits(monkeypatch, lambda _connection, limits: replace(limits, used_by_run={}))

    assert "active tasks" in find_bug()


def test_runs_started_without_counting_those_that_run(monkeypatch):
    for name in ("_RUNNING", "_RUNNING_OF"):
        none = getattr(run_starts, name).where(dag_run.c.id < 0)
        monkeypatch.setattr(run_starts, name, none)

    assert "running runs" in find_bug()


@pytest.mark.slow
def test_triggers_of_a_dead_triggerer_that_nobody_takes_over(monkeypatch):
    free = trigger.c.worker_id.is_(None)
    taken = update(trigger).where(trigger.c.id == triggers.bindparam("held_id"), free)
    monkeypatch.setattr(triggers, "_FREE_IDS", triggers.select(trigger.c.id).where(free))
    monkeypatch.setattr(
        triggers, "_CLAIM", taken.values(worker_id=triggers.bindparam("new_worker_id"))
    )

    assert find_bug(Faults(kill=0.04), has_user=False).startswith("I-16")


def test_an_import_error_that_takes_the_dag_away(monkeypatch):
    save = dag_files.FileOperations.save

    def save_and_deactivate(self, parsed, now):
        saved = save(self, parsed, now)
        if parsed.error:
            gone = parsed.relative_path.removesuffix(".py")
            with self._database.write() as connection:
                connection.execute(update(dag).where(dag.c.dag_id == gone).values(is_active=False))
        return saved

    monkeypatch.setattr(dag_files.FileOperations, "save", save_and_deactivate)

    assert find_bug(CALM, has_user=False).startswith("I-27")


# -- who lives ------------------------------------------------------------------------------------


def test_a_judge_of_leases_that_slept(monkeypatch):
    """The machine sleeps, and wakes up with every lease over: no task may be lost by that."""
    monkeypatch.setattr(LeaseJudge, "tick", lambda self, now, now_s: True)

    # Seldom found since all look and write within the same moments (12 seeds were enough before).
    found = find_bug(Faults(machine_sleeps=0.01), has_user=False, seeds=40)

    assert found.startswith("R4")


def test_a_heartbeat_that_is_longer_than_the_lease(monkeypatch):
    seldom = partial(sim_world.RunnerSettings, heartbeat_s=60.0)
    monkeypatch.setattr(sim_world, "RunnerSettings", seldom)

    assert find_bug(CALM, has_user=False).startswith("R4")


def test_a_lost_try_that_is_given_back_although_it_had_begun(monkeypatch):
    def lose_unused(*values, **named):
        return AttemptResult(*values, has_entered=False, **named)

    monkeypatch.setattr(workers, "AttemptResult", lose_unused)

    assert find_bug(Faults(kill=0.02), has_user=False).startswith(("I-9", "I-18"))


def test_claims_of_a_lost_answer_that_nobody_settles(monkeypatch):
    monkeypatch.setattr(Runner, "_settle_doubt", lambda self: None)

    assert find_bug(DEAF, has_user=False).startswith("I-16")


@pytest.mark.slow
def test_a_runner_with_a_memory_of_its_own_of_what_it_had(monkeypatch):
    begin, had = Runner._begin, set()

    def begin_once(self, claim):
        if claim.task_instance_id not in had:
            had.add(claim.task_instance_id)
            begin(self, claim)

    monkeypatch.setattr(Runner, "_begin", begin_once)

    assert find_bug(CALM, has_user=False).startswith("I-16")


# -- what is decided ------------------------------------------------------------------------------


def test_one_try_too_many(monkeypatch):
    judge = results.judge_result

    def judge_generously(outcome, **named):
        return judge(outcome, **{**named, "tries_max": named["tries_max"] + 1})

    monkeypatch.setattr(results, "judge_result", judge_generously)

    assert find_bug(CALM, has_user=False).startswith("I-9")


def test_a_task_that_does_not_wait_for_what_is_above_it(monkeypatch):
    judge = upstream.judge

    def judge_early(rule, counted):
        verdict = judge(rule, counted)
        return Verdict.RUN if verdict is Verdict.WAIT else verdict

    monkeypatch.setattr(upstream, "judge", judge_early)

    assert find_bug(CALM, has_user=False).startswith(("I-11", "I-18"))


def test_a_skip_that_does_not_reach_what_is_below(monkeypatch):
    judge = upstream.judge

    def judge_boldly(rule, counted):
        verdict = judge(rule, counted)
        return Verdict.RUN if verdict is Verdict.SKIP else verdict

    monkeypatch.setattr(upstream, "judge", judge_boldly)

    assert find_bug(CALM, has_user=False).startswith("I-18")


def test_a_run_that_always_ends_well(monkeypatch):
    ended_well = RunTransition(DagRunState.SUCCESS, "success")
    monkeypatch.setattr(decide, "final_state", lambda board: ended_well)

    assert find_bug(CALM, has_user=False).startswith("I-17")


def test_an_old_run_that_takes_the_newest_version(monkeypatch):
    run = AdvanceRuns.run

    def run_newest(self, tick):
        newest = (
            select(func.max(dag_version.c.id))
            .where(dag_version.c.dag_id == dag_run.c.dag_id)
            .scalar_subquery()
        )
        database = self._store.runs._group._database
        with database.write() as connection:
            unfinished = dag_run.c.state == "running"
            connection.execute(update(dag_run).where(unfinished).values(version_id=newest))
        self._store.pools.list()  # any call: the invariants are looked at
        run(self, tick)

    monkeypatch.setattr(AdvanceRuns, "run", run_newest)

    assert find_bug(CALM, has_user=False).startswith("I-28")


# -- time -----------------------------------------------------------------------------------------


def test_a_catchup_that_leaves_out_what_it_slept_through(monkeypatch):
    create = CreateDueRuns._create

    def create_some(self, dag_id, planned, following, tick):
        is_left_out = dag_id == "zoned" and planned.logical_date.minute == 0
        if not is_left_out:
            return create(self, dag_id, planned, following, tick)
        self._store.dags.set_next_run(dag_id, following, tick.now)
        return 1

    monkeypatch.setattr(CreateDueRuns, "_create", create_some)

    assert find_bug(CALM, has_user=False).startswith("I-21")


@pytest.mark.slow
def test_slots_that_are_computed_on_the_wall_clock(monkeypatch):
    def next_by_the_wall(self, instant):
        local = instant.astimezone(self.zone).replace(tzinfo=None)
        following = self._next_local(local)
        # "Half an hour later" on a clock that is changed meanwhile.
        return following.replace(tzinfo=self.zone, fold=1).astimezone(UTC)

    monkeypatch.setattr(cron_ticks.CronTicks, "next", next_by_the_wall)

    assert find_bug(HARD, has_user=False, seeds=20) != ""


@pytest.mark.slow
def test_a_retry_that_nobody_wakes(monkeypatch):
    """What is due by time alone is forgotten: the timer lies a day ahead."""
    retry_delay = results.judge_result

    def judge_late(outcome, **named):
        verdict = retry_delay(outcome, **named)
        if verdict.due_at is None:
            return verdict
        return replace(verdict, due_at=verdict.due_at + timedelta(days=1))

    monkeypatch.setattr(results, "judge_result", judge_late)

    assert find_bug(CALM, has_user=False).startswith("I-16")
