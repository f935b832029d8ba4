from __future__ import annotations

import pytest
from tradewind.sdk.clock import next_round_s


def test_all_of_one_phase_meet_at_the_same_instant():
    assert next_round_s(12.3, 5.0) == next_round_s(14.9, 5.0) == 15.0
    assert next_round_s(12.3, 5.0, 0.25) == next_round_s(15.2, 5.0, 0.25) == 15.25


def test_a_round_that_is_now_is_over():
    assert next_round_s(15.0, 5.0) == 20.0
    assert next_round_s(15.25, 5.0, 0.25) == 20.25


@pytest.mark.parametrize("interval_s", [0.05, 0.1, 0.3, 1.0, 5.0])
@pytest.mark.parametrize("phase_s", [0.0, 0.25, 0.75])
def test_it_is_always_ahead_and_never_further_than_one_interval(interval_s, phase_s):
    now_s = 0.0
    for _ in range(300):
        due_s = next_round_s(now_s, interval_s, phase_s)
        assert now_s < due_s <= now_s + interval_s * 1.000001
        now_s = due_s
