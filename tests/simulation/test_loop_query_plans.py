"""Every statement of the loops uses an index, and a tick costs the same however long history is.

The statements are those that schedulers, runners, a triggerer and a parser really issue: worlds of
the simulation are played, with all that goes wrong in them, and each text that they sent is kept.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
import sim_database
from sim_play import CALM, HARD, swarm
from sim_world import World

#: Tables that have as many rows as there are DAGs, files, pools or living processes (or are kept
#: short), or only what waits. All others grow with history.
SMALL = {
    "asset",
    "asset_alias",
    "asset_alias_link",
    "asset_alias_reference",
    "asset_queue",
    "asset_reference",
    "asset_watcher",
    "asset_watcher_use",
    "backfill",
    "dag",
    "dag_file",
    "pool",
    "process",
    "trigger",
    "worker",  # starts of processes within a week
    "CONSTANT",
}
#: Indexes that hold unfinished rows only: to walk one of them is no scan of history.
PARTIAL = (
    "ix_dag_run_unfinished",
    "ix_dag_run_wake_at",
    "ix_task_instance_scheduled",
    "ix_task_instance_occupying",
    "ix_attempt_live",
    "ix_worker_alive",
)
#: Asked with a limit and in the order of the key: reads its first rows only.
FIRST_ROWS = re.compile(r"ORDER BY outbox\.id\s+LIMIT")


@pytest.fixture(scope="module")
def played():
    """Worlds that were played, and what their actors (not the checks, nor people) sent."""
    said: dict[str, tuple[Any, ...]] = {}
    worlds = []
    for seed, faults in ((0, HARD), (2, swarm(2)), (3, CALM)):
        world = World(seed, faults, has_user=False)
        connection = sim_database.connection_of(world.store)
        connection.on_statement = said.setdefault
        world.play()
        worlds.append(world)
    return worlds, said


def test_no_statement_of_a_loop_scans_a_table_that_grows(played):
    worlds, said = played
    driver = sim_database.connection_of(worlds[0].store).driver
    scanned = []
    for text, values in said.items():
        if not re.match(r"\s*(SELECT|UPDATE|DELETE|WITH)", text) or FIRST_ROWS.search(text):
            continue
        for *_, line in driver.execute(f"EXPLAIN QUERY PLAN {text}", [None] * len(values)):
            found = re.match(r"SCAN (\w+)", line)
            if found is None or any(name in line for name in PARTIAL):
                continue
            if _table(found[1], text) not in SMALL:
                scanned.append((line, " ".join(text.split())))

    assert len(said) > 100
    assert scanned == []


def _table(name: str, text: str) -> str:
    """Return the table that *name* stands for."""
    aliased = re.search(rf"(\w+) AS {name}\b", text)
    return aliased[1] if aliased else name


def test_the_check_would_notice_a_scan(played):
    worlds, _ = played
    driver = sim_database.connection_of(worlds[0].store).driver

    plan = list(driver.execute("EXPLAIN QUERY PLAN SELECT 1 FROM attempt WHERE state = 'x'"))

    assert plan[0][-1].startswith("SCAN attempt")


def test_an_idle_tick_sends_as_much_however_long_history_is(played):
    """The worlds at rest are history; the new one has the same DAGs and none."""
    worlds, _ = played
    empty = World(3, CALM, has_user=False)

    assert _idle_tick(worlds[2]) == _idle_tick(empty)


def _idle_tick(world: World) -> list[str]:
    """Return what a scheduler sends in a sweep that finds nothing to do."""
    said: list[str] = []
    connection = sim_database.connection_of(world.store)
    world.is_scheduling = False
    world.store.database.change_mark = lambda: None  # what was asked before is asked again
    scheduler = world.make_scheduler(world.store)
    for _ in range(5):
        scheduler.tick()
    connection.on_statement = lambda text, _values: said.append(text)
    world.kernel.steady_s += 10.0
    scheduler.tick()
    scheduler.wait_s()
    connection.on_statement = None
    return said
