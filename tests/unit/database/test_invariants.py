"""What must hold whatever happens: a seeded world of results, losses, clears and marks.

The numbers in brackets are those of the invariants in the reliability spec.
"""

from __future__ import annotations

import random
import threading
from collections import Counter, defaultdict

import pytest
from tradewind.database.selections import Selection
from tradewind.database.store import Store
from tradewind.database.values import ClaimRequest

OUTCOMES = ("success", "success", "success", "failed", "skipped", "rescheduled")


class World:
    """Acts at random, and checks rows after each act."""

    def __init__(self, house, seed: int) -> None:
        self.house = house
        self.random = random.Random(seed)
        self.held = {}
        self.old = []
        self.last_epoch: dict[int, int] = {}

    def act(self) -> None:
        acts = [self.claim, self.finish, self.finish, self.pass_time, self.finish_late]
        acts += [self.lose, self.clear, self.mark] if self.random.random() < 0.2 else []
        self.random.choice(acts)()
        self.check()

    def claim(self) -> None:
        for claim in self.house.claim(self.random.randint(1, 4)):
            self.held[claim.task_instance_id, claim.epoch] = claim

    def finish(self) -> None:
        if not self.held:
            return
        claim = self.held.pop(self.random.choice(list(self.held)))
        self.old.append(claim)
        done = self.house.finish(claim, self.random.choice(OUTCOMES), limit=2)
        for one in done.claims:
            self.held[one.task_instance_id, one.epoch] = one

    def finish_late(self) -> None:
        """A result that has been given before, or was fenced: it changes nothing."""
        if self.old:
            done = self.house.finish(self.random.choice(self.old), "failed_final")
            assert done.outcomes[0].is_fenced

    def pass_time(self) -> None:
        self.house.pass_time(seconds=self.random.choice((1, 10)))
        store, now = self.house.store, self.house.now
        store.workers.renew(self.house.worker_id, now)
        store.runs.advance(store.runs.due_ids(now), now)
        store.runs.start_queued(now)
        store.attempts.expire_claims(now)
        store.attempts.queue(now)

    def lose(self) -> None:
        self.house.store.workers.declare_dead(self.house.worker_id, self.house.now, "killed")
        self.old.extend(self.held.values())
        self.held.clear()
        self.house.worker_id = f"worker-{self.random.random()}"
        self.house.register(self.house.worker_id)

    def clear(self) -> None:
        ids = [self.random.choice("abcdef")]
        self.house.store.task_instances.clear(
            Selection("d", task_ids=ids, include_downstream=True), self.house.now, "user:me"
        )

    def mark(self) -> None:
        self.house.store.task_instances.mark(
            Selection("d", task_ids=[self.random.choice("abcdef")], run_ids=["r0"]),
            self.random.choice(("success", "failed")),
            self.house.now,
            "user:me",
        )

    def check(self) -> None:
        store = self.house.store
        with store.database.read() as connection:
            rows = connection.exec_driver_sql(
                "SELECT id, dag_run_id, state, epoch, claim_id, pool, pool_slots, tries_max, "
                "try_number FROM task_instance"
            ).all()
            live = connection.exec_driver_sql(
                "SELECT task_instance_id, epoch, claim_id FROM attempt "
                "WHERE state IN ('claimed', 'running')"
            ).all()
            runs = connection.exec_driver_sql("SELECT id, state FROM dag_run").all()
        by_epoch = {(one.task_instance_id, one.epoch): one.claim_id for one in live}
        pools, per_run = Counter(), Counter()
        states = defaultdict(set)
        for row in rows:
            assert row.epoch >= self.last_epoch.get(row.id, 0)  # I-3
            self.last_epoch[row.id] = row.epoch
            states[row.dag_run_id].add(row.state)
            if row.state in ("queued", "running", "restarting"):
                pools[row.pool] += row.pool_slots
                per_run[row.dag_run_id] += 1
            if row.state == "running":
                assert by_epoch[row.id, row.epoch] == row.claim_id  # I-4
        assert pools["small"] <= 3  # I-13
        assert all(count <= 2 for count in per_run.values())
        assert sum(1 for run in runs if run.state == "running") <= 2
        unfinished = {"none", "scheduled", "queued", "running", "restarting"}
        for run in runs:
            if run.state in ("success", "failed"):
                assert not states[run.id] & unfinished  # I-17


@pytest.mark.parametrize("seed", range(4))
def test_invariants_hold_after_every_act_and_all_runs_end_at_last(house, task, seed):
    store = house.store
    store.pools.set("small", 3, now=house.now, actor="user:me")
    house.add(
        task("a", retries=1, retry_delay_s=5),
        task("b", "a", pool="small", pool_slots=2),
        task("c", "a", pool="small", retries=2, retry_delay_s=1),
        task("d", "b", "c", trigger_rule="all_done"),
        task("e", "a", depends_on_past=True),
        task("f", "d", "e", trigger_rule="none_failed"),
        max_active_runs=2,
        max_active_tasks=2,
    )
    for number in range(4):
        house.run(f"r{number}")
    world = World(house, seed)

    for _ in range(120):
        world.act()

    for _ in range(300):  # no more faults: everything must come to an end (G-E3)
        world.claim()
        while world.held:
            claim = world.held.popitem()[1]
            house.finish(claim)
        for fenced in store.attempts.find_fenced(house.worker_id):
            claim = next(one for one in world.old if one.claim_id == fenced.claim_id)
            house.finish(claim)
        world.pass_time()
        if all(run.state in ("success", "failed") for run in store.runs.list("d")):
            break
    else:
        pytest.fail(f"{[(run.run_id, run.state) for run in store.runs.list('d')]}")
    world.check()


def test_two_processes_never_claim_the_same_task_instance(house, task, settings):
    house.add(*[task(f"t{i}") for i in range(16)])
    house.run()
    house.register("worker-2")
    others = [Store(settings) for _ in range(2)]
    claims: list = []

    def take(store, worker_id) -> None:
        while some := store.attempts.claim(ClaimRequest(worker_id, "LocalExecutor", 2), house.now):
            claims.extend(some)

    threads = [
        threading.Thread(target=take, args=(store, f"worker-{number}"))
        for number, store in enumerate(others, start=1)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for store in others:
        store.close()

    assert len(claims) == 16
    assert len({claim.task_instance_id for claim in claims}) == 16
