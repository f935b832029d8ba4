"""How long a process waits before it asks a database again that was away."""

from __future__ import annotations

import random
from datetime import UTC, datetime

from tradewind.runtime.supervise.outages import WAIT_MAX_S, Backoff


class HandClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def monotonic(self) -> float:
        return self.now_s

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.now_s, UTC)


def waits(seconds: float) -> list[float]:
    """Return the waits between attempts in an outage of so many seconds."""
    clock = HandClock()
    backoff = Backoff(clock, random.Random(1))
    began_s, found = clock.now_s, []
    while clock.now_s < began_s + seconds:
        backoff.fail()
        found.append(backoff.due - clock.now_s)
        assert not backoff.is_over()
        clock.now_s = backoff.due
        assert backoff.is_over()
    return found


def test_after_a_short_outage_the_next_attempt_is_near():
    assert max(waits(5.0)) <= 1.3
    assert len(waits(5.0)) < 40


def test_a_long_outage_is_asked_about_seldom_but_for_ever():
    found = waits(600.0)

    assert max(found) <= WAIT_MAX_S * 1.3
    assert len(found) < 300


def test_a_success_begins_anew():
    clock = HandClock()
    backoff = Backoff(clock, random.Random(1))
    backoff.fail()
    clock.now_s += 60
    backoff.fail()
    backoff.succeed()
    assert backoff.is_over()

    backoff.fail()

    assert backoff.due - clock.now_s < 0.1
