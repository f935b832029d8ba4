"""Whole runs of the system in worlds where anything may die, stop, get lost or come twice.

Each world is made from its seed alone; a failure is replayed with ``sim_play.play(seed)``.
``test_planted_bugs.py`` shows that these worlds find what they should.
"""

from __future__ import annotations

import logging
import os
import sys
from collections import Counter

import pytest
from sim_play import CALM, HARD, play
from sim_reference import RUN, SKIP, UPSTREAM_FAILED, end_of_tries, verdicts

#: Worlds that are played each time; by hand many more: TRADEWIND_SIMULATION_WORLDS=2000.
HARD_WORLDS = int(os.environ.get("TRADEWIND_SIMULATION_WORLDS", "8"))
FIRST_SEED = int(os.environ.get("TRADEWIND_SIMULATION_FIRST_SEED", "0"))

#: Changes of state without which the simulation would quietly have stopped to test.
EDGES = {
    ("none", "scheduled"),
    ("scheduled", "queued"),
    ("queued", "running"),
    ("running", "success"),
    ("running", "failed"),
    ("running", "skipped"),
    ("running", "up_for_retry"),
    ("running", "scheduled"),
    ("running", "restarting"),
    ("running", "deferred"),
    ("deferred", "scheduled"),
    ("none", "upstream_failed"),
    ("none", "skipped"),
    ("success", "none"),
}


@pytest.fixture(autouse=True, scope="module")
def _quiet_logs():
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


class Tally:
    """What many worlds had in them."""

    def __init__(self) -> None:
        self.steps = self.starts = self.deaths = self.pauses = self.clock_steps = 0
        self.edges: Counter[tuple[str, str]] = Counter()
        self.traces: dict[int, str] = {}

    def play(self, seed: int) -> None:
        try:
            world = play(seed, HARD)
        except Exception as error:
            raise AssertionError(f"seed {seed}: {error}") from error
        self.steps += world.kernel.steps
        self.starts += len(world.witness.starts)
        self.deaths += world.kernel.deaths
        self.pauses += world.kernel.pauses
        self.clock_steps += world.kernel.clock_steps
        self.edges += world.invariants.edges
        self.traces[seed] = world.kernel.trace


@pytest.fixture(scope="module")
def tally(_quiet_logs) -> Tally:
    """Play the worlds; playing them checks every promise."""
    made = Tally()
    for seed in range(FIRST_SEED, FIRST_SEED + HARD_WORLDS):
        made.play(seed)
    return made


@pytest.mark.parametrize("seed", range(2))
def test_without_faults_every_run_ends_and_no_limit_is_passed(seed):
    world = play(seed, CALM)

    assert world.kernel.deaths == 0
    assert len(world.witness.starts) > 10


def test_crashes_stops_lost_bells_and_lost_answers_break_no_promise(tally):
    assert tally.deaths > 5 * HARD_WORLDS
    assert tally.pauses > HARD_WORLDS
    assert tally.clock_steps > HARD_WORLDS / 2
    assert tally.starts > 20 * HARD_WORLDS


def test_what_was_played_is_told(tally, record_property, capsys):
    """Shown with ``-s``: what is written into docs/reliability.md."""
    told = f"{tally.steps} steps, {sum(tally.edges.values())} transitions in {HARD_WORLDS} worlds"
    record_property("simulated", told)
    with capsys.disabled():
        sys.stdout.write(f" {told} ")

    assert tally.steps > 1000 * HARD_WORLDS


def test_the_faults_reach_every_common_change_of_state(tally):
    assert EDGES - tally.edges.keys() == set()


def test_a_seed_replays_step_by_step(tally):
    assert play(FIRST_SEED + 1).kernel.trace == tally.traces[FIRST_SEED + 1]


@pytest.mark.parametrize(
    ("rule", "above", "expected"),
    [
        ("all_success", ["success", "success"], {RUN}),
        ("all_success", ["failed", "skipped"], {SKIP, UPSTREAM_FAILED}),
        ("one_failed", ["success"], {SKIP}),
        ("one_success", ["failed", "skipped"], {UPSTREAM_FAILED}),
        ("none_failed_min_one_success", ["skipped"], {SKIP}),
        ("all_done", ["failed"], {RUN}),
    ],
)
def test_the_reference_knows_the_rules_by_itself(rule, above, expected):
    assert verdicts(rule, above) == expected


def test_the_reference_counts_tries_and_deaths():
    assert end_of_tries(["failed", "success"], 0, 1) == "success"
    assert end_of_tries(["failed"], 0, 1) == "unfinished"
    assert end_of_tries(["failed", "killed"], 0, 1) == "failed"
    assert end_of_tries(["lost", "lost", "lost"], 3, 9) == "failed"
