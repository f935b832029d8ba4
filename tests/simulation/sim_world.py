"""One simulated home: two schedulers, a runner, a person, and the real store in memory."""

from __future__ import annotations

import uuid
from types import SimpleNamespace

from sim_invariants import Broken, Invariants
from sim_kernel import Faults, Kernel
from sim_processes import MemoryJournal, MemorySpool, SimProcesses, Witness
from sim_store import FaultyStore
from sim_workload import POOL, POOL_SLOTS, make_consumer, make_dag, parsed_file
from tradewind.database.selections import Selection
from tradewind.database.settings import StoreSettings
from tradewind.database.store import Store
from tradewind.database.values import NewRun, WorkerIdentity
from tradewind.runtime.supervise import runner as runner_module
from tradewind.runtime.supervise.outages import Backoff
from tradewind.runtime.supervise.runner import Runner, RunnerSettings
from tradewind.scheduler.advance_runs import AdvanceRuns
from tradewind.scheduler.create_asset_runs import CreateAssetRuns
from tradewind.scheduler.create_due_runs import CreateDueRuns
from tradewind.scheduler.expire_claims import ExpireClaims
from tradewind.scheduler.hint_executors import HintExecutors
from tradewind.scheduler.lease_judge import LeaseJudge
from tradewind.scheduler.loop import Scheduler
from tradewind.scheduler.plan_next_runs import PlanNextRuns
from tradewind.scheduler.queue_task_instances import QueueTaskInstances
from tradewind.scheduler.reap_workers import ReapWorkers
from tradewind.scheduler.start_queued_runs import StartQueuedRuns
from tradewind.sdk.states import TaskInstanceState

LEASE_S = 30.0
#: Long enough for every retry delay and every task after the faults are healed.
HEALING_S = 600.0


class World:
    """Built from a seed; ``play`` raises ``Broken`` where an invariant does not hold."""

    def __init__(self, seed: int, faults: Faults, *, has_user: bool = True) -> None:
        self.seed = seed
        self.kernel = Kernel(seed, faults)
        chance = self.kernel.random
        clock = self.kernel.clock
        settings = StoreSettings(
            url="", parallelism=8, lease_s=LEASE_S, claim_deadline_s=60.0, default_pool_slots=6
        )
        self.store = Store.in_memory(settings, clock)
        self.store.bell.ring = self.kernel.ring  # type: ignore[method-assign]
        self.dags = [make_dag(chance, f"dag{number}", clock.now()) for number in range(2)]
        self.store.pools.set(POOL, POOL_SLOTS, now=clock.now(), actor="user:sim")
        consumer = make_consumer([dag.dag_id for dag in self.dags])
        for dag in (*self.dags, consumer):
            self.store.files.save(parsed_file(dag, clock.now()), clock.now())
        pools = {"default_pool": 6, POOL: POOL_SLOTS}
        self.alive_workers: set[str] = set()
        self.invariants = Invariants(self.store, [*self.dags, consumer], pools, self.alive_workers)
        self.witness = Witness()
        self.spool = MemorySpool()
        self.is_scheduling = True
        for number in (1, 2):
            self.kernel.add(f"scheduler{number}", self._schedule, "scheduler")
        self.runner = self.kernel.add("runner", self._run_tasks, "runner")
        if has_user:
            self.kernel.add("user", self._use)

    def play(self, seconds: float = 120.0) -> None:
        """Faults on for *seconds*, then healed until all is done, then judged."""
        real_backoff = runner_module.Backoff
        runner_module.Backoff = self._backoff  # its jitter must come from the seed
        try:
            self._play(seconds)
        finally:
            runner_module.Backoff = real_backoff

    def _play(self, seconds: float) -> None:
        self.kernel.run(seconds)
        self.kernel.faults = Faults()
        self.is_scheduling = False
        if not self.kernel.run(HEALING_S, self._is_quiet):
            self.invariants.check_end(self.witness)
            raise Broken("I-16: not quiet in time")
        self.invariants.check_end(self.witness)

    def _connect(self, actor: str) -> FaultyStore:
        return FaultyStore(self.store, self.kernel, actor, self.invariants.check_step)

    def _is_quiet(self) -> bool:
        return not any(
            run.state in ("queued", "running") for run in self.store.runs.list(limit=1000)
        )

    def _schedule(self) -> None:
        store, clock = self._connect("scheduler"), self.kernel.clock
        executor = SimpleNamespace(submit=lambda hint: self.kernel.ring("runner"))

        def is_gone(worker) -> bool:
            return worker.id not in self.alive_workers

        steps = [ReapWorkers(store, clock, LeaseJudge(LEASE_S), is_gone)]
        if self.is_scheduling:
            steps += [PlanNextRuns(store), CreateDueRuns(store), CreateAssetRuns(store)]
        steps += [
            StartQueuedRuns(store),
            AdvanceRuns(store),
            ExpireClaims(store),
            QueueTaskInstances(store),
            HintExecutors({"LocalExecutor": executor}, store),
        ]
        scheduler = Scheduler(store, clock, steps, sweep_s=3.0)
        was_scheduling = self.is_scheduling
        while self.is_scheduling == was_scheduling:
            scheduler.tick()
            self.kernel.sleep(scheduler.wait_s())

    def _run_tasks(self) -> None:
        processes = SimProcesses(self.kernel, self.seed, self.witness, lambda order: None)
        held: list[str] = []

        def make_identity() -> WorkerIdentity:
            held.append(str(uuid.UUID(int=self.kernel.random.getrandbits(128))))
            self.alive_workers.clear()
            self.alive_workers.add(held[-1])
            return WorkerIdentity(held[-1], "host", "boot", 1, 1.0, "LocalExecutor", slots=6)

        def on_death() -> None:
            processes.kill_all()
            self.alive_workers.clear()

        self.runner.on_death = on_death
        runner = Runner(
            store=self._connect("runner"),
            clock=self.kernel.clock,
            processes=processes,
            make_identity=make_identity,
            is_dead=lambda row, own: row.id not in self.alive_workers,
            spool=self.spool,
            journal=MemoryJournal(self.witness),
            settings=RunnerSettings(slots=6, sweep_s=3.0),
        )
        runner.start()
        while True:
            runner.turn()

    def _backoff(self, clock):
        return Backoff(clock, self.kernel.random)

    def _use(self) -> None:
        """A person who triggers, clears and marks at random."""
        chance, clock = self.kernel.random, self.kernel.clock
        number = 0
        while self.is_scheduling:
            self.kernel.sleep(chance.uniform(2, 20))
            now = clock.now()
            dag = chance.choice(self.dags)
            runs = self.store.runs.list(dag.dag_id, limit=5)
            if chance.random() < 0.4 or not runs:
                number += 1
                run_id = f"manual__{number}_{now.isoformat()}"
                self.store.runs.create(NewRun(dag.dag_id, run_id, "manual", now), now)
                continue
            run = chance.choice(runs)
            task = chance.choice(dag.tasks)
            selection = Selection(dag.dag_id, task_ids=[task.task_id], run_ids=[run.run_id])
            if chance.random() < 0.5:
                self.store.task_instances.clear(selection, now, "user:sim")
            else:
                state = chance.choice([TaskInstanceState.SUCCESS, TaskInstanceState.FAILED])
                self.invariants.marked_run_ids.add(run.id)
                self.store.task_instances.mark(selection, state, now, "user:sim")
            self.invariants.check_step("user")
        self.kernel.sleep(10_000_000.0)
