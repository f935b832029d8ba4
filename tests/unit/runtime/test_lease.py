"""The lease is renewed while the loop waits, and never while it hangs; strict tasks end in time."""

from __future__ import annotations

import signal
from datetime import UTC, datetime

import pytest
from tradewind.database.errors import DatabaseBusy
from tradewind.runtime.supervise.lease import Lease, LeaseRenewer, strict_grace_s
from tradewind.sdk.clock import VirtualClock
from tradewind.sdk.errors import ConfigurationError

LEASE_S, HEARTBEAT_S = 30.0, 5.0


class Table:
    """``store.workers`` behind a connection of the renewer's own."""

    def __init__(self) -> None:
        self.renewed: list[str] = []
        self.is_over = False

    def renew(self, worker_id: str, now: datetime) -> bool:
        self.renewed.append(worker_id)
        return not self.is_over


class Scene:
    def __init__(self) -> None:
        self.clock = VirtualClock(datetime(2026, 1, 1, tzinfo=UTC))
        self.lease = Lease()
        self.table = Table()
        self.ended: list[float] = []
        self.renewer = LeaseRenewer(
            self.lease,
            lambda: self.table,
            self.clock,
            lease_s=LEASE_S,
            heartbeat_s=HEARTBEAT_S,
            on_dead_end=lambda: self.ended.append(self.clock.monotonic()),
        )
        self.lease.begin("w", self.clock.monotonic())
        self.lease.progress_s = self.clock.monotonic()

    def block_loop_for(self, seconds: float) -> None:
        """The loop waits for the store; only the renewer looks, once a heartbeat."""
        for _ in range(int(seconds / HEARTBEAT_S)):
            self.clock.advance(seconds=HEARTBEAT_S)
            self.renewer.look()
            self.renewer.keep_fence()


@pytest.fixture
def scene():
    return Scene()


def test_the_lease_lives_on_while_the_loop_waits_for_a_slow_database(scene):
    scene.block_loop_for(LEASE_S * 1.5)

    assert scene.table.renewed
    assert scene.lease.silent_s(scene.clock.monotonic()) <= 2 * HEARTBEAT_S


def test_a_loop_that_renews_in_time_is_left_alone(scene):
    for _ in range(10):
        scene.clock.advance(seconds=HEARTBEAT_S)
        scene.lease.confirm("w", scene.clock.monotonic())
        scene.renewer.look()

    assert scene.table.renewed == []


def test_a_loop_that_hangs_for_two_leases_does_not_look_alive(scene):
    scene.block_loop_for(LEASE_S * 2)
    scene.table.renewed.clear()

    scene.block_loop_for(LEASE_S)

    assert scene.table.renewed == []


def test_a_lease_that_the_database_ended_is_lost(scene):
    scene.table.is_over = True

    scene.block_loop_for(10)

    assert scene.lease.is_lost


def test_a_strict_runner_that_cannot_stop_its_tasks_ends_with_them(scene):
    scene.renewer._open_workers = lambda: pytest.fail("not reached while nobody looks")
    scene.lease.has_tasks = True

    scene.clock.advance(seconds=LEASE_S - 2)
    scene.renewer.keep_fence()

    assert scene.ended
    assert strict_grace_s(LEASE_S, 10.0) == 10.0
    assert strict_grace_s(12.0, 10.0) == 4.0


def test_strict_tasks_are_stopped_half_a_lease_after_the_last_renewal(world, claim):
    world.runner = world.new_runner(is_strict=True)
    world.queue(claim(1))
    world.processes.enter("1-1")
    world.runner.turn()
    renewed_s = world.runner.lease.sent_s

    def refuse(*_values):
        raise DatabaseBusy("the database is away")

    world.attempts.is_away = True
    world.workers.renew = refuse
    while not world.processes.signals:
        world.runner.turn()

    assert world.processes.signals == [("1-1", signal.SIGTERM)]
    assert 15.0 <= world.clock.monotonic() - renewed_s <= 16.0
    assert "fence_mode = strict" in world.processes.logs["1-1"][-1]


def test_soft_tasks_run_on_while_the_database_is_away(world, claim):
    world.queue(claim(1))
    world.processes.enter("1-1")
    world.runner.turn()
    world.attempts.is_away = True

    for _ in range(200):
        world.runner.turn()

    assert world.processes.signals == []


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("fence_mode", "hard", "fence_mode is 'hard': use soft or strict"),
        ("kill_grace_s", "13", "strict needs a kill_grace_s of at most 12"),
    ],
)
def test_settings_that_cannot_hold_are_refused(monkeypatch, setting, value, said):
    from tradewind.runtime.supervise.runner_main import RunnerPlan, runner_settings

    monkeypatch.setenv("TRADEWIND__EXECUTION__FENCE_MODE", "strict")
    monkeypatch.setenv(f"TRADEWIND__EXECUTION__{setting.upper()}", value)

    with pytest.raises(ConfigurationError, match=said):
        runner_settings(RunnerPlan())
