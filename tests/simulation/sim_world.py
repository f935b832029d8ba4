"""One simulated system: two schedulers, two runners on two hosts, a triggerer, a parser, a person,
and the real store in memory."""

from __future__ import annotations

import contextlib
import random
import uuid
from datetime import datetime, timedelta
from types import SimpleNamespace

from sim_database import open_store
from sim_ends import EndChecks, blocked_dag_ids
from sim_invariants import Broken, Invariants, rows_of
from sim_kernel import START, Actor, Faults, Kernel
from sim_people import Person
from sim_processes import MemoryJournal, MemorySpool, SimProcesses, Witness
from sim_store import FaultyStore
from sim_triggers import SimTriggers
from sim_workload import (
    DEFERRING,
    POOL,
    POOL_SLOTS,
    ZONES,
    broken_file,
    changed,
    make_consumer,
    make_dag,
    make_zoned,
    parsed_file,
)
from sqlalchemy.exc import OperationalError
from tradewind.database.settings import StoreSettings
from tradewind.database.store import Store
from tradewind.database.values import WorkerIdentity
from tradewind.runtime.supervise import runner as runner_module
from tradewind.runtime.supervise import triggerer as triggerer_module
from tradewind.runtime.supervise.outages import Backoff
from tradewind.runtime.supervise.runner import Runner
from tradewind.runtime.supervise.runner_settings import RunnerSettings
from tradewind.runtime.supervise.triggerer import Triggerer, TriggererSettings
from tradewind.scheduler import loop as loop_module
from tradewind.scheduler.advance_runs import AdvanceRuns
from tradewind.scheduler.create_asset_runs import CreateAssetRuns
from tradewind.scheduler.create_due_runs import CreateDueRuns
from tradewind.scheduler.expire_claims import ExpireClaims
from tradewind.scheduler.expire_triggers import ExpireTriggers
from tradewind.scheduler.hint_executors import HintExecutors
from tradewind.scheduler.lease_judge import LeaseJudge
from tradewind.scheduler.loop import Scheduler
from tradewind.scheduler.plan_next_runs import PlanNextRuns
from tradewind.scheduler.queue_task_instances import QueueTaskInstances
from tradewind.scheduler.reap_workers import ReapWorkers
from tradewind.scheduler.start_queued_runs import StartQueuedRuns

LEASE_S = 30.0
SWEEP_S = 3.0
#: Long enough for every retry delay and every task after the faults are healed.
HEALING_S = 900.0


class World:
    """Built from a seed; ``play`` raises ``Broken`` where an invariant does not hold."""

    def __init__(self, seed: int, faults: Faults, *, has_user: bool = True) -> None:
        self.seed = seed
        chance = random.Random(f"world {seed}")
        zone, started_at = _place(chance)
        self.kernel = Kernel(seed, faults, started_at)
        clock = self.kernel.clock
        settings = StoreSettings(
            url="", parallelism=8, lease_s=LEASE_S, claim_deadline_s=60.0, default_pool_slots=6
        )
        self.store = open_store(settings, clock)
        self.store.bell.ring = self.kernel.ring  # type: ignore[method-assign]
        self.dags = [make_dag(chance, f"dag{number}", clock.now()) for number in range(2)]
        self.zoned = make_zoned(zone, clock.now())
        self.store.pools.set(POOL, POOL_SLOTS, now=clock.now(), actor="user:sim")
        everything = [*self.dags, make_consumer([dag.dag_id for dag in self.dags]), self.zoned]
        for dag in everything:
            self.store.files.save(parsed_file(dag, clock.now()), clock.now())
        pools = {"default_pool": 6, POOL: POOL_SLOTS}
        #: Runners that live; those that were stopped for so long that they may be given up.
        self.alive_workers: dict[str, str] = {}
        self.slow_hosts: set[str] = set()
        self.invariants = Invariants(self.store, everything, pools, self.may_not_be_lost)
        self.witness = Witness()
        self.is_scheduling = True
        self._healed_s = 0.0
        for number in (1, 2):
            self.kernel.add(f"scheduler{number}", self._schedule, "scheduler")
        for host in ("east", "west"):
            self._add_runner(host)
        self._add_triggerer()
        self.kernel.add("parser", self._parse)
        if has_user:
            person = Person(self.store, self.kernel, self.dags, self.invariants)
            self.kernel.add("user", lambda: person.live(lambda: self.is_scheduling))

    def may_not_be_lost(self) -> set[str]:
        """Return the workers that live and were never stopped for long."""
        return {id_ for id_, host in self.alive_workers.items() if host not in self.slow_hosts}

    def play(self, seconds: float = 120.0) -> None:
        """Faults on for *seconds*, then healed until all is done, then judged."""
        modules = (runner_module, triggerer_module, loop_module)
        real = runner_module.Backoff
        for module in modules:
            module.Backoff = self._backoff  # its jitter must come from the seed
        try:
            self._play(seconds)
        finally:
            for module in modules:
                module.Backoff = real

    def _play(self, seconds: float) -> None:
        self.kernel.run(seconds)
        self.calls_with_faults = self.kernel.calls
        self.kernel.heal()
        self._healed_s = self.kernel.steady_s
        self.is_scheduling = False
        is_quiet = self.kernel.run(HEALING_S, self._is_quiet)
        checks = EndChecks(self.store, self.invariants, self.witness, self.zoned)
        checks.check(self.kernel.latest())
        if not is_quiet:
            raise Broken("I-16: not quiet in time")

    def _connect(self, actor: str) -> FaultyStore:
        return FaultyStore(self.store, self.kernel, actor, self.invariants.check_step)

    def _is_quiet(self) -> bool:
        """Nothing is under way: all has ended, or is held by a past that only a person mends."""
        unfinished = self.invariants.dag_ids_of_unfinished_runs()
        if not unfinished:
            return True
        if self.kernel.steady_s < self._healed_s + 200 or self.invariants.is_any_moving():
            return False
        with self.store.database.read() as connection:
            versions = rows_of(connection, "SELECT DISTINCT version_id FROM dag_run")
        structures = {id_: self.store.dags.version(id_) for (id_,) in versions}
        with self.store.database.read() as connection:
            held = blocked_dag_ids(connection, structures.__getitem__)
        return unfinished <= held

    def make_scheduler(self, store: FaultyStore | Store) -> Scheduler:
        """Return a scheduler as the product puts it together."""
        clock = self.kernel.clock
        executor = SimpleNamespace(submit=lambda hint: self.kernel.ring("runner"))

        def is_gone(worker) -> bool:
            return worker.id not in self.alive_workers

        steps = [ReapWorkers(store, clock, LeaseJudge(LEASE_S), is_gone)]
        if self.is_scheduling:
            steps += [PlanNextRuns(store), CreateDueRuns(store), CreateAssetRuns(store)]
        steps += [
            StartQueuedRuns(store, clock),
            AdvanceRuns(store),
            ExpireClaims(store),
            ExpireTriggers(store, clock, 15.0),
            QueueTaskInstances(store),
            HintExecutors({"LocalExecutor": executor}, store),
        ]
        return Scheduler(store, clock, steps, sweep_s=SWEEP_S)

    def _schedule(self) -> None:
        scheduler = self.make_scheduler(self._connect("scheduler"))
        was_scheduling = self.is_scheduling
        while self.is_scheduling == was_scheduling:
            scheduler.tick()
            self.kernel.sleep(scheduler.wait_s())

    def _add_runner(self, host: str) -> None:
        journal, spool = MemoryJournal(), MemorySpool()
        actor = self.kernel.add(f"runner {host}", lambda: None, "runner")
        actor.main = lambda: self._run_tasks(host, journal, spool, actor)
        actor.on_pause = lambda seconds: self._slow_down(host, seconds)

    def _slow_down(self, host: str, seconds: float) -> None:
        if seconds > LEASE_S / 3:
            self.slow_hosts.add(host)

    def _draw_identity(self, host: str, executor: str) -> WorkerIdentity:
        drawn = str(uuid.UUID(int=self.kernel.random.getrandbits(128)))
        self._forget(host)
        self.alive_workers[drawn] = host
        return WorkerIdentity(drawn, host, "boot", 1, 1.0, executor, slots=4)

    def _forget(self, host: str) -> None:
        for id_ in [id_ for id_, at in self.alive_workers.items() if at == host]:
            del self.alive_workers[id_]

    def _run_tasks(
        self, host: str, journal: MemoryJournal, spool: MemorySpool, actor: Actor
    ) -> None:
        processes = SimProcesses(self.kernel, self.seed, self.witness, journal.note)
        for dag in self.dags:
            for task in dag.tasks:
                if task.task_type == DEFERRING:
                    processes.defers(dag.dag_id, task.task_id)

        def on_death() -> None:
            processes.kill_all()
            self._forget(host)

        actor.on_death = on_death
        runner = Runner(
            store=self._connect("runner"),
            clock=self.kernel.clock,
            processes=processes,
            make_identity=lambda: self._draw_identity(host, "LocalExecutor"),
            is_dead=lambda row, own: row.host == own.host and row.id not in self.alive_workers,
            spool=spool,
            journal=journal,
            settings=RunnerSettings(slots=4, sweep_s=SWEEP_S),
        )
        runner.start()
        while True:
            runner.turn()

    def _add_triggerer(self) -> None:
        actor = self.kernel.add("triggerer", self._watch_triggers, "triggerer")
        actor.on_death = lambda: self._forget("triggers")
        actor.on_pause = lambda seconds: self._slow_down("triggers", seconds)

    def _watch_triggers(self) -> None:
        triggerer = Triggerer(
            store=self._connect("triggerer"),
            clock=self.kernel.clock,
            process=SimTriggers(self.kernel, self.seed),
            make_identity=lambda: self._draw_identity("triggers", "Triggerer"),
            settings=TriggererSettings(sweep_s=SWEEP_S),
            is_dead=lambda row, own: row.host == own.host and row.id not in self.alive_workers,
        )
        triggerer.start()
        while True:
            triggerer.turn()

    def _parse(self) -> None:
        """Files change, break and are mended while their runs are under way."""
        chance, clock, files = self.kernel.random, self.kernel.clock, self._connect("parser").files
        while self.is_scheduling:
            self.kernel.sleep(chance.uniform(10, 40))
            if not self.is_scheduling:
                break
            place = chance.randrange(len(self.dags))
            if chance.random() < 0.3:
                parsed = broken_file(self.dags[place].dag_id, clock.now())
            else:
                self.dags[place] = changed(self.dags[place], chance)
                parsed = parsed_file(self.dags[place], clock.now())
            with contextlib.suppress(OperationalError):  # it is parsed again some time
                files.save(parsed, clock.now())
        self.kernel.sleep(10_000_000.0)

    def _backoff(self, clock):
        return Backoff(clock, self.kernel.random)


def _place(chance: random.Random) -> tuple[str, datetime]:
    """Return a zone, and the start of the world: often when its clocks were just changed."""
    zone = chance.choice(sorted(ZONES))
    if chance.random() < 0.5:
        return zone, START
    jitter = timedelta(minutes=chance.randint(0, 40))
    return zone, datetime.fromisoformat(f"{chance.choice(ZONES[zone])}Z") + jitter
