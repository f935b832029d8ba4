"""Plays worlds, one after the other or until one breaks."""

from __future__ import annotations

import gc
import random
from dataclasses import fields

from sim_invariants import Broken
from sim_kernel import Faults
from sim_world import World

#: Everything may happen at any time.
HARD = Faults(
    kill=0.004,
    pause=0.001,
    bell_lost=0.2,
    bell_doubled=0.05,
    machine_sleeps=0.0005,
    clock_steps=0.0005,
    store_fails=0.01,
    store_fails_after_commit=0.01,
    task_killed=0.1,
)
CALM = Faults()
#: Every few calls the caller does not hear that its transaction was committed.
DEAF = Faults(store_fails_after_commit=0.1)


def swarm(seed: int) -> Faults:
    """Return faults of which a half is off and the others are weak or strong, by the seed."""
    chance = random.Random(f"swarm {seed}")
    drawn = {}
    for one in fields(Faults):
        strength = chance.choice([0.0, 0.0, 0.3, 1.0, 4.0])
        drawn[one.name] = min(0.5, getattr(HARD, one.name) * strength)
    return Faults(**drawn)


def play(seed: int, faults: Faults = HARD, *, has_user: bool = True) -> World:
    """Play one world to its end; raise ``Broken`` where an invariant does not hold."""
    was_collecting = gc.isenabled()
    gc.disable()  # a world is short-lived, and dropped as a whole
    try:
        world = World(seed, faults, has_user=has_user)
        world.play()
    finally:
        if was_collecting:
            gc.enable()
    return world


def find_bug(faults: Faults = HARD, *, has_user: bool = True, seeds: int = 12) -> str:
    """Return what the first world that breaks says, an empty text if none does."""
    for seed in range(seeds):
        try:
            play(seed, faults, has_user=has_user)
        except Broken as broken:
            return str(broken)
        except Exception as error:  # noqa: BLE001 - a bug may also show as a crash of the store
            return f"error: {error}"
    return ""
