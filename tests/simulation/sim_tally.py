"""What many worlds had in them, counted."""

from __future__ import annotations

import logging
import multiprocessing
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from itertools import count

from sim_kernel import Faults
from sim_play import HARD, play, swarm

#: Steps that each of the three test files plays: a million in all.
STEPS = int(os.environ.get("TRADEWIND_SIMULATION_STEPS", "336_000"))
#: Worlds of other seeds: any number.
FIRST_SEED = int(os.environ.get("TRADEWIND_SIMULATION_FIRST_SEED", "0"))


@dataclass
class Tally:
    """Of one world, or of many."""

    worlds: int = 0
    steps: int = 0
    starts: int = 0
    deaths: int = 0
    pauses: int = 0
    clock_steps: int = 0
    edges: Counter[tuple[str, str]] = field(default_factory=Counter)
    traces: dict[int, str] = field(default_factory=dict)

    @property
    def transitions(self) -> int:
        """Changes of state of task instances."""
        return sum(self.edges.values())

    def add(self, other: Tally) -> None:
        for one in fields(self):
            mine, others = getattr(self, one.name), getattr(other, one.name)
            setattr(self, one.name, mine | others if one.name == "traces" else mine + others)

    def told(self) -> str:
        """What is written into docs/reliability.md."""
        return (
            f"{self.worlds} worlds, {self.steps} steps, {self.transitions} transitions,"
            f" {self.starts} starts, {self.deaths} killed, {self.pauses} stopped,"
            f" {self.clock_steps} times the clock was set"
        )


def play_one(seed: int, faults: Faults, *, has_user: bool = True) -> Tally:
    """Play one world; whatever breaks in it names the seed."""
    try:
        world = play(seed, faults, has_user=has_user)
    except Exception as error:
        raise AssertionError(f"seed {seed} with {faults}: {error}") from error
    return Tally(
        worlds=1,
        steps=world.kernel.steps,
        starts=len(world.witness.starts),
        deaths=world.kernel.deaths,
        pauses=world.kernel.pauses,
        clock_steps=world.kernel.clock_steps,
        edges=world.invariants.edges,
        traces={seed: world.kernel.trace},
    )


def play_steps(
    first_seed: int,
    faults_of: Callable[[int], Faults] = lambda _seed: HARD,
    *,
    has_user: bool = True,
) -> Tally:
    """Play worlds until they had ``STEPS`` steps."""
    tally = Tally()
    for seed in count(first_seed):
        if tally.steps >= STEPS:
            break
        tally.add(play_one(seed, faults_of(seed), has_user=has_user))
    return tally


def play_transitions(first_seed: int, at_least: int, processes: int) -> Iterator[Tally]:
    """Play worlds in several processes until they had so many transitions; yield the sums."""
    tally = Tally()
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        seeds = range(first_seed, first_seed + at_least)
        for one in pool.imap_unordered(_play_any, seeds):
            one.traces.clear()
            tally.add(one)
            yield tally
            if tally.transitions >= at_least:
                pool.terminate()
                return


def _play_any(seed: int) -> Tally:
    logging.disable(logging.CRITICAL)
    faults = HARD if seed % 2 else swarm(seed)
    return play_one(seed, faults, has_user=seed % 3 != 0)
