"""Deferrals that take too long are ended by the scheduler where no triggerer does it."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

from tradewind.scheduler.expire_triggers import ExpireTriggers
from tradewind.sdk.clock import VirtualClock


class Triggers:
    """Counts how often it was asked, and always ends one."""

    def __init__(self):
        self.asked = 0

    def expire(self, now):
        self.asked += 1
        return 1


def test_a_look_is_taken_in_a_sweep_once_an_interval():
    clock = VirtualClock(datetime(2026, 1, 1, tzinfo=UTC))
    triggers = Triggers()
    step = ExpireTriggers(SimpleNamespace(triggers=triggers), clock, 15.0)

    def tick(*, is_sweep):
        made = SimpleNamespace(now=clock.now(), is_sweep=is_sweep, changed=False)
        step.run(made)
        return made.changed

    assert tick(is_sweep=False) is False
    assert tick(is_sweep=True) is True
    clock.advance(seconds=14)
    assert tick(is_sweep=True) is False
    clock.advance(seconds=1)
    assert tick(is_sweep=True) is True
    assert triggers.asked == 2
