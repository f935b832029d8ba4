"""Worlds in which nobody clears or marks: the reference executor judges each of their runs."""

from __future__ import annotations

from sim_tally import FIRST_SEED, STEPS, play_steps


def test_without_people_every_end_is_one_that_the_reference_allows(tell):
    tally = play_steps(FIRST_SEED + 20_000, has_user=False)

    tell(tally.told())
    assert tally.steps >= STEPS
    assert tally.deaths > 5 * tally.worlds
    assert ("success", "none") not in tally.edges
