"""Whole runs of the system in worlds where anything may die, stop, get lost or come twice.

Each world is made from its seed alone; a failure is replayed with ``sim_play.play(seed)``.
``test_swarm.py`` and ``test_without_people.py`` play worlds of other kinds: a million steps in all.
``test_planted_bugs.py`` shows that these worlds find what they should.
"""

from __future__ import annotations

import os

import pytest
from sim_play import CALM, play
from sim_reference import RUN, SKIP, UPSTREAM_FAILED, end_of_tries, verdicts
from sim_tally import FIRST_SEED, STEPS, Tally, play_steps, play_transitions

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


@pytest.fixture(scope="module")
def tally(_quiet_logs) -> Tally:
    """Play the worlds; playing them checks every promise."""
    return play_steps(FIRST_SEED)


@pytest.mark.parametrize("seed", range(2))
def test_without_faults_every_run_ends_and_no_limit_is_passed(seed):
    world = play(seed, CALM)

    assert world.kernel.deaths == 0
    assert len(world.witness.starts) > 10


def test_crashes_stops_lost_bells_and_lost_answers_break_no_promise(tally, tell):
    tell(tally.told())
    assert tally.steps >= STEPS
    assert tally.deaths > 5 * tally.worlds
    assert tally.pauses > tally.worlds
    assert tally.clock_steps > tally.worlds / 2
    assert tally.starts > 20 * tally.worlds


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


@pytest.mark.slow
def test_a_million_changes_of_state_break_no_promise(tell):
    """Some 40 CPU minutes; TRADEWIND_SIMULATION_TRANSITIONS for more or fewer."""
    wanted = int(os.environ.get("TRADEWIND_SIMULATION_TRANSITIONS", "1_000_000"))
    tally = Tally()
    for tally in play_transitions(FIRST_SEED + 1_000_000, wanted, os.cpu_count() or 1):
        if tally.worlds % 100 == 0:
            tell(tally.told())

    tell(tally.told())
    assert tally.transitions >= wanted
    assert EDGES - tally.edges.keys() == set()
