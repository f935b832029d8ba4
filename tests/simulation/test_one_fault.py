"""One call of the store goes wrong, at every place of a scenario in turn: nothing comes of it.

Each run of the suite looks at some of the places, others each time the scenario grows; the slow
test looks at all: ``pytest tests/simulation/test_one_fault.py -m slow``.
"""

from __future__ import annotations

import pytest
from sim_kernel import Faults
from sim_store import AFTER, BEFORE, KILLED
from sim_world import World

SEED = 3
#: Virtual seconds in which the scenario's runs are made and begin.
LENGTH_S = 40.0
PLACES_AT_ONCE = 4


def play(planned: tuple[int, str] | None = None) -> World:
    """Play the scenario, in which nothing else goes wrong."""
    world = World(SEED, Faults(), has_user=False)
    world.kernel.planned = planned
    try:
        world.play(LENGTH_S)
    except Exception as error:
        raise AssertionError(f"call {planned}: {error}") from error
    return world


@pytest.fixture(scope="module")
def scenario() -> World:
    """The scenario without any fault."""
    return play()


def test_the_scenario_has_everything_in_it(scenario):
    reached = {new for _, new in scenario.invariants.edges}

    assert {"success", "failed", "up_for_retry", "skipped", "deferred"} <= reached
    assert scenario.calls_with_faults > 300


@pytest.mark.parametrize("kind", [BEFORE, AFTER, KILLED])
def test_a_call_that_goes_wrong_changes_no_promise(scenario, kind):
    every = scenario.calls_with_faults // PLACES_AT_ONCE
    for place in range(1 + len(kind), scenario.calls_with_faults, every):
        play((place, kind))


@pytest.mark.slow
@pytest.mark.parametrize("kind", [BEFORE, AFTER, KILLED])
def test_every_call_may_go_wrong(scenario, kind):
    for place in range(1, scenario.calls_with_faults + 1):
        play((place, kind))
