"""Worlds in which some faults never happen and others all the time: each seed has its own mixture.

Where everything goes wrong at once, one fault hides what another would show.
"""

from __future__ import annotations

from dataclasses import astuple

from sim_play import swarm
from sim_tally import FIRST_SEED, STEPS, play_steps


def test_any_mixture_of_faults_breaks_no_promise(tell):
    tally = play_steps(FIRST_SEED + 10_000, swarm)

    tell(tally.told())
    assert tally.steps >= STEPS
    assert tally.deaths > tally.worlds
    assert tally.starts > 20 * tally.worlds


def test_mixtures_leave_faults_out_and_make_others_stronger():
    mixtures = [astuple(swarm(seed)) for seed in range(40)]

    for rates in zip(*mixtures, strict=True):
        assert min(rates) == 0.0
        assert len(set(rates)) > 2
