"""The simulated machines: actors as greenlets, one virtual clock, one seeded source of chance.

An actor is plain blocking code. Whenever it calls the store, sleeps or listens, it gives control
back; the kernel chooses who goes on, kills and stops actors, loses and doubles bells, steps the
clock and lets the machine sleep. The same seed gives the same run, step by step. A *step* is one
such turn of one actor: from where it gave control back to where it does so next.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from greenlet import greenlet
from sqlalchemy.exc import OperationalError
from tradewind.sdk.clock import Clock

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class ActorKilled(BaseException):
    """kill -9: the actor ends at the call that it was in."""


@dataclass
class Faults:
    """How likely each thing is, per turn of an actor (per ring, per call where it says so)."""

    kill: float = 0.0
    pause: float = 0.0  # SIGSTOP, and SIGCONT much later
    bell_lost: float = 0.0  # per ring
    bell_doubled: float = 0.0  # per ring: rings again, later
    machine_sleeps: float = 0.0
    clock_steps: float = 0.0  # the wall clock is set, forward or back
    store_fails: float = 0.0  # per call
    store_fails_after_commit: float = 0.0  # per call
    task_killed: float = 0.0  # per task process


class Actor:
    """One process of ours. ``main`` is run anew after each death."""

    def __init__(self, name: str, main: Callable[[], None], bell: str | None) -> None:
        self.name = name
        self.main = main
        self.bell = bell
        self.greenlet: greenlet | None = None
        self.wake_s = 0.0
        self.paused_until_s = 0.0
        self.has_rung = False
        self.is_doomed = False
        self.on_death: Callable[[], None] = lambda: None
        self.on_pause: Callable[[float], None] = lambda _seconds: None

    def due_s(self) -> float:
        """Return from when on it may go on."""
        return max(self.paused_until_s, 0.0 if self.has_rung else self.wake_s)


class KernelClock(Clock):
    """Both clocks of the simulated machines."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def now(self) -> datetime:
        return self._kernel.started_at + timedelta(seconds=self._kernel.wall_s)

    def monotonic(self) -> float:
        return self._kernel.steady_s


class Kernel:
    """Runs the actors. ``run`` returns when the virtual time is over or *is_done* says so."""

    def __init__(self, seed: int, faults: Faults, started_at: datetime = START) -> None:
        self.random = random.Random(seed)
        self.faults = faults
        self.started_at = started_at
        self.wall_s = 0.0
        self._latest_s = 0.0
        self.steady_s = 0.0
        self.clock = KernelClock(self)
        self.steps = 0
        #: Calls of the store so far; at one of them something may be planned to go wrong.
        self.calls = 0
        self.planned: tuple[int, str] | None = None
        self.deaths = self.pauses = self.clock_steps = 0
        self._trace = hashlib.blake2b(digest_size=16)
        self._actors: list[Actor] = []
        self._current: Actor | None = None
        self._main = greenlet.getcurrent()
        self._late_rings: list[tuple[float, Actor]] = []
        #: What an actor met that no actor may swallow: a broken invariant, a bug of the store.
        self.failure: Exception | None = None

    @property
    def trace(self) -> str:
        """A digest of all that happened, in order."""
        return self._trace.hexdigest()

    def latest(self) -> datetime:
        """Return the latest instant that the wall clock has shown so far."""
        return self.started_at + timedelta(seconds=max(self._latest_s, self.wall_s))

    def note(self, what: str) -> None:
        """Make *what* part of the trace."""
        self._trace.update(what.encode())

    def add(self, name: str, main: Callable[[], None], bell: str | None = None) -> Actor:
        actor = Actor(name, main, bell)
        self._actors.append(actor)
        return actor

    def ring(self, *names: str) -> None:
        for actor in self._actors:
            if actor.bell not in names:
                continue
            if self.random.random() >= self.faults.bell_lost:
                actor.has_rung = True
            if self.faults.bell_doubled and self.random.random() < self.faults.bell_doubled:
                self._late_rings.append((self.steady_s + self.random.uniform(0, 20), actor))

    def switch(self, label: str) -> None:
        """Called by an actor: others may go first, and it may die here."""
        actor = self._current
        if actor is None:  # set-up and checks, outside of all actors
            return
        self._trace.update(label.encode())
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

    def run(self, seconds: float, is_done: Callable[[], bool] = lambda: False) -> bool:
        """Let *seconds* pass; True if *is_done* before that."""
        end_s = self.steady_s + seconds
        while self.steady_s < end_s:
            now_s = self.steady_s
            if self._late_rings:
                self._ring_late(now_s)
            ready = [
                a
                for a in self._actors
                if a.paused_until_s <= now_s and (a.has_rung or a.wake_s <= now_s)
            ]
            if not ready:
                if is_done():
                    return True
                self._pass(min(a.due_s() for a in self._actors) - now_s)
                continue
            self._step(self.random.choice(ready) if len(ready) > 1 else ready[0])
            if self.failure is not None:
                raise self.failure
        return is_done()

    def heal(self) -> None:
        """From now on nothing fails, and everything goes on."""
        self.faults = Faults()
        for actor in self._actors:
            actor.paused_until_s = 0.0

    def _ring_late(self, now_s: float) -> None:
        for due_s, actor in self._late_rings:
            if due_s <= now_s:
                actor.has_rung = True
        self._late_rings = [one for one in self._late_rings if one[0] > now_s]

    def _step(self, actor: Actor) -> None:
        self.steps += 1
        self._trace.update(actor.name.encode())
        self._pass(self.random.uniform(0.0002, 0.002))
        faults = self.faults
        if faults.machine_sleeps and self.random.random() < faults.machine_sleeps:
            self._sleep_machine()
        if faults.clock_steps and self.random.random() < faults.clock_steps:
            self.clock_steps += 1
            self._latest_s = max(self._latest_s, self.wall_s)
            self.wall_s += self.random.uniform(-90, 90)
        if faults.pause and self.random.random() < faults.pause:
            self._pause(actor)
            return
        if faults.kill and actor.greenlet is not None and self.random.random() < faults.kill:
            actor.is_doomed = True
        if actor.greenlet is None:
            actor.greenlet = greenlet(lambda: self._live(actor))
        self._current = actor
        actor.greenlet.switch()
        self._current = None
        if actor.greenlet.dead:
            actor.greenlet = None

    def _pause(self, actor: Actor) -> None:
        length_s = self.random.choice([2.0, 15.0, 90.0]) * self.random.uniform(0.5, 1.0)
        self.pauses += 1
        actor.paused_until_s = self.steady_s + length_s
        actor.on_pause(length_s)

    def _live(self, actor: Actor) -> None:
        try:
            actor.main()
        except (ActorKilled, OperationalError):  # killed, or ended by what it could not do
            self.deaths += 1
            self._trace.update(b"died")
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
        self._trace.update(b"machine slept")
