"""The simulated machine: actors as greenlets, one virtual clock, one seeded source of chance.

An actor is plain blocking code. Whenever it calls the store, sleeps or listens, it gives control
back; the kernel chooses who goes on, kills actors, loses bells and lets the machine sleep. The
same seed gives the same run, step by step.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from greenlet import greenlet
from tradewind.sdk.clock import Clock

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class ActorKilled(BaseException):
    """kill -9: the actor ends at the call that it was in."""


@dataclass
class Faults:
    """How likely each thing is, per switch of an actor."""

    kill: float = 0.0
    bell_lost: float = 0.0
    machine_sleeps: float = 0.0
    store_fails: float = 0.0
    store_fails_after_commit: float = 0.0
    task_killed: float = 0.0


class Actor:
    """One process of ours. ``main`` is run anew after each death."""

    def __init__(self, name: str, main: Callable[[], None], bell: str | None) -> None:
        self.name = name
        self.main = main
        self.bell = bell
        self.greenlet: greenlet | None = None
        self.wake_s = 0.0
        self.has_rung = False
        self.is_doomed = False
        self.on_death: Callable[[], None] = lambda: None


class KernelClock(Clock):
    """Both clocks of the one simulated machine."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def now(self) -> datetime:
        return START + timedelta(seconds=self._kernel.wall_s)

    def monotonic(self) -> float:
        return self._kernel.steady_s


class Kernel:
    """Runs the actors. ``run`` returns when the virtual time is over or *is_done* says so."""

    def __init__(self, seed: int, faults: Faults) -> None:
        self.random = random.Random(seed)
        self.faults = faults
        self.wall_s = 0.0
        self.steady_s = 0.0
        self.clock = KernelClock(self)
        self.steps = 0
        self.trace: list[str] = []
        self.deaths = 0
        self._actors: list[Actor] = []
        self._current: Actor | None = None
        self._main = greenlet.getcurrent()
        #: What an actor met that no actor may swallow: a broken invariant, a bug of the store.
        self.failure: Exception | None = None

    def add(self, name: str, main: Callable[[], None], bell: str | None = None) -> Actor:
        actor = Actor(name, main, bell)
        self._actors.append(actor)
        return actor

    def ring(self, *names: str) -> None:
        for name in names:
            for actor in self._actors:
                if actor.bell == name and self.random.random() >= self.faults.bell_lost:
                    actor.has_rung = True

    def switch(self, label: str) -> None:
        """Called by an actor: others may go first, and it may die here."""
        actor = self._current
        if actor is None:  # set-up and checks, outside of all actors
            return
        self.trace.append(f"{actor.name} {label}")
        self._main.switch()
        self._die_if_doomed(actor)

    def sleep(self, seconds: float) -> bool:
        """Called by an actor: wait, or until its bell rings; True if it rang."""
        actor = self._current
        assert actor is not None
        actor.wake_s = self.steady_s + max(0.0, seconds)
        self._main.switch()
        self._die_if_doomed(actor)
        has_rung, actor.has_rung = actor.has_rung, False
        return has_rung

    def kill(self, actor: Actor) -> None:
        actor.is_doomed = True
        actor.wake_s = 0.0

    def run(self, seconds: float, is_done: Callable[[], bool] = lambda: False) -> bool:
        """Let *seconds* pass; True if *is_done* before that."""
        end_s = self.steady_s + seconds
        while self.steady_s < end_s:
            ready = [a for a in self._actors if a.has_rung or a.wake_s <= self.steady_s]
            if not ready:
                if is_done():
                    return True
                self._pass(min(a.wake_s for a in self._actors) - self.steady_s)
                continue
            self._step(self.random.choice(ready))
            if self.failure is not None:
                raise self.failure
        return is_done()

    def _step(self, actor: Actor) -> None:
        self.steps += 1
        self._pass(self.random.uniform(0.0002, 0.002))
        if self.random.random() < self.faults.machine_sleeps:
            self._sleep_machine()
        if actor.greenlet is not None and self.random.random() < self.faults.kill:
            actor.is_doomed = True
        if actor.greenlet is None:
            actor.greenlet = greenlet(lambda: self._live(actor))
        self._current = actor
        actor.greenlet.switch()
        self._current = None
        if actor.greenlet.dead:
            actor.greenlet = None

    def _live(self, actor: Actor) -> None:
        try:
            actor.main()
        except ActorKilled:
            self.deaths += 1
            self.trace.append(f"{actor.name} died")
            actor.on_death()
        actor.is_doomed = actor.has_rung = False
        actor.wake_s = self.steady_s + self.random.uniform(0.1, 3.0)  # who keeps it restarts it

    def _die_if_doomed(self, actor: Actor) -> None:
        if actor.is_doomed:
            raise ActorKilled

    def _pass(self, seconds: float) -> None:
        self.steady_s += max(0.0, seconds)
        self.wall_s += max(0.0, seconds)

    def _sleep_machine(self) -> None:
        """Everything stands still; then time has jumped, on one clock or on both."""
        slept_s = self.random.uniform(40, 400)
        self.wall_s += slept_s
        if self.random.random() < 0.5:  # stopped by a signal: the steady clock went on
            self.steady_s += slept_s
        self.trace.append("machine slept")
