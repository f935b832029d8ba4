"""A scripted world for the runner: a store, processes and a clock that tests move by hand."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from tradewind.database.errors import DatabaseBusy
from tradewind.database.values import (
    AttemptResult,
    Claim,
    ClaimRequest,
    FencedAttempt,
    Finished,
    Outcome,
    WorkerIdentity,
)
from tradewind.runtime.supervise.entry_journal import EntryJournal
from tradewind.runtime.supervise.os_processes import OsProcesses
from tradewind.runtime.supervise.os_settings import OsSettings
from tradewind.runtime.supervise.processes import (
    BellRang,
    Event,
    TaskBegan,
    TaskEnded,
    TaskEntered,
    TaskOrder,
)
from tradewind.runtime.supervise.runner import Runner
from tradewind.runtime.supervise.runner_settings import RunnerSettings
from tradewind.runtime.supervise.spool import Spool
from tradewind.runtime.task.task_spec import TaskResult
from tradewind.sdk.clock import Clock, VirtualClock, WallClock


def make_claim(task_instance_id: int = 1, epoch: int = 1, **changes) -> Claim:
    claim = Claim(
        task_instance_id=task_instance_id,
        epoch=epoch,
        claim_id=f"claim-{task_instance_id}-{epoch}",
        dag_id="sales",
        run_id="manual__1",
        task_id=f"task_{task_instance_id}",
        map_index=-1,
        try_number=1,
        tries_max=1,
        dag_run_id=1,
        relative_fileloc="sales.py",
        fileloc="/nowhere/sales.py",
        dag_version_hash="v1",
        operator_name="PythonOperator",
        execution_timeout_s=None,
        next_method=None,
        next_kwargs=None,
        started_at=None,
        first_reschedule_at=None,
        reschedule_count=0,
        mapped_lengths=(),
        upstream_counts={},
        dag_run={"logical_date": datetime(2026, 1, 1, tzinfo=UTC)},
    )
    return replace(claim, **changes)


@dataclass
class FakeAttempts:
    """``store.attempts`` with a queue of claims, and a switch that takes the database away."""

    queued: list[Claim] = field(default_factory=list)
    finished: list[AttemptResult] = field(default_factory=list)
    given_back: list[tuple[int, int, str]] = field(default_factory=list)
    fenced: list[FencedAttempt] = field(default_factory=list)
    held: list[Claim] = field(default_factory=list)
    refused: set[int] = field(default_factory=set)
    commits: int = 0
    is_away: bool = False
    is_answer_lost: bool = False

    def claim(self, request: ClaimRequest, now: datetime) -> list[Claim]:
        self._reach()
        taken, self.queued = self.queued[: request.limit], self.queued[request.limit :]
        self.held.extend(taken)
        if self.is_answer_lost:
            self.is_answer_lost = False
            raise DatabaseBusy("the connection broke during COMMIT")
        return taken

    def finish(
        self,
        results: Sequence[AttemptResult],
        now: datetime,
        claim: ClaimRequest | None = None,
        started: Sequence[object] = (),
        *,
        tells_later: bool = False,
    ) -> Finished:
        self._reach()
        if any(one.task_instance_id in self.refused for one in results if one.outcome == "success"):
            raise ValueError("a value that no database takes")
        self.commits += 1
        self.finished.extend(results)
        claims = self.claim(claim, now) if claim else []
        return Finished([Outcome(one.task_instance_id, one.epoch, None) for one in results], claims)

    def find_fenced(self, worker_id: str) -> list[FencedAttempt]:
        self._reach()
        return self.fenced

    def live(self, worker_id: str) -> list[Claim]:
        self._reach()
        return self.held

    def give_back(self, keys, now: datetime, reason: str, *, has_died: bool = False) -> None:
        self._reach()
        self.given_back.extend(keys)

    def _reach(self) -> None:
        if self.is_away:
            raise DatabaseBusy("the database is away")


@dataclass
class FakeWorkers:
    """``store.workers``."""

    registered: list[str] = field(default_factory=list)
    renewals: int = 0
    is_fenced: bool = False
    stopped: list[str] = field(default_factory=list)
    declared_dead: list[str] = field(default_factory=list)

    def list(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(id=id_) for id_ in self.registered]

    def declare_dead(self, worker_id: str, now: datetime, reason: str) -> None:
        self.declared_dead.append(worker_id)

    def register(self, identity: WorkerIdentity, now: datetime) -> None:
        self.registered.append(identity.id)

    def renew(self, worker_id: str, now: datetime) -> bool:
        self.renewals += 1
        return not self.is_fenced

    def stop(self, worker_id: str, now: datetime, reason: str) -> None:
        self.stopped.append(worker_id)


class FakeProcesses:
    """Processes that do what the test says. ``poll`` lets virtual time pass when idle."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self.events: list[Event] = []
        self.started: list[TaskOrder] = []
        self.signals: list[tuple[str, int]] = []
        self.logs: dict[str, list[str]] = {}
        self.answers: list[object] = []
        self.is_stopped = False

    def start(self, order: TaskOrder) -> None:
        self.started.append(order)

    def poll(self, wait_s: float) -> list[Event]:
        if not self.events:
            self._clock.advance(seconds=min(wait_s, 3600.0))
        events, self.events = self.events, []
        return events

    def signal(self, key: str, number: int) -> None:
        self.signals.append((key, int(number)))

    def answer(self, asker: object, reply: object) -> None:
        self.answers.append(reply)

    def note(self, key: str, text: str) -> None:
        self.logs.setdefault(key, []).append(text)

    def close_log(self, key: str, verdict: str) -> None:
        self.logs.setdefault(key, []).append(verdict)

    def close_left_log(self, log_path: str, verdict: str) -> None:
        self.logs.setdefault(log_path, []).append(verdict)

    def close_left_logs(self, verdict: str) -> None:
        """Nothing was noted."""

    def stop(self) -> None:
        self.is_stopped = True

    # -- what tests let happen --

    def ring(self) -> None:
        self.events.append(BellRang())

    def enter(self, key: str) -> None:
        self.events += [TaskBegan(key, pid=4711), TaskEntered(key)]

    def end(self, key: str, outcome: str | None = "success", **facts) -> None:
        result = None if outcome is None else TaskResult(outcome=outcome)
        facts.setdefault("exit_code", 0 if "signal" not in facts else None)
        self.events.append(TaskEnded(key=key, result=result, **facts))


class FakeJournal:
    """Which attempts had entered user code; None: nobody ever wrote it down."""

    keys: set[str] | None = None

    def entered(self) -> set[str] | None:
        return self.keys

    def empty(self) -> None:
        self.keys = None

    def shorten(self) -> None:
        """Never long here."""


class World:
    """One runner and all that it touches."""

    def __init__(self, folder) -> None:
        self.clock = VirtualClock(datetime(2026, 1, 1, tzinfo=UTC))
        self.processes = FakeProcesses(self.clock)
        self.attempts = FakeAttempts()
        self.workers = FakeWorkers()
        self.folder = folder
        self.journal = FakeJournal()
        self.incarnations = 0
        self.dead: set[str] = set()
        self.runner = self.new_runner()

    def new_runner(self, **settings) -> Runner:
        runner = Runner(
            store=SimpleNamespace(attempts=self.attempts, workers=self.workers),
            clock=self.clock,
            processes=self.processes,
            make_identity=self._identity,
            is_dead=lambda row, own: row.id in self.dead,
            journal=self.journal,
            spool=Spool(self.folder / "spool"),
            settings=RunnerSettings(**{"slots": 2, **settings}),
        )
        runner.start()
        return runner

    def _identity(self) -> WorkerIdentity:
        self.incarnations += 1
        return WorkerIdentity(
            f"worker-{self.incarnations}", "host", "boot", 1, 1.0, "LocalExecutor", (), 2
        )

    def queue(self, *claims: Claim) -> None:
        self.attempts.queued.extend(claims)
        self.processes.ring()
        self.runner.turn()

    def results(self) -> list[tuple[int, str, str]]:
        return [
            (result.task_instance_id, result.outcome, result.reason)
            for result in self.attempts.finished
        ]


@pytest.fixture
def world(tmp_path) -> World:
    return World(tmp_path)


@pytest.fixture
def claim():
    return make_claim


OS_WAIT_S = 20.0

HEAD = """
import logging, os, signal, subprocess, sys, time
from tradewind.sdk.base_operator import BaseOperator
from tradewind.sdk.dag import DAG

class Call(BaseOperator):
    def __init__(self, *, function, **arguments):
        super().__init__(**arguments)
        self.function = function

    def execute(self, context):
        return self.function()

"""


@dataclass
class OsWorld:
    """A DAGs folder, and processes that run its tasks."""

    folder: Path
    claim: Callable
    processes: OsProcesses
    journal: EntryJournal
    events: list[Event] = field(default_factory=list)
    count: int = 0
    #: What DAG files written here begin with.
    head: str = HEAD

    def write(self, body: str, name: str = "sales.py") -> Path:
        """Write a DAG file: *body* is the body of one task's function."""
        lines = "\n".join(f"    {line}" for line in body.splitlines())
        return self.write_file(
            f"{HEAD}\ndef work():\n{lines}\n\n"
            "with DAG('sales', schedule=None):\n    Call(function=work, task_id='task_1')\n",
            name,
        )

    def write_file(self, text: str, name: str = "sales.py") -> Path:
        path = self.folder / "dags" / name
        path.write_text(text)
        return path

    def start(self, name: str = "sales.py", **changes) -> str:
        self.count += 1
        changes.setdefault("task_id", "task_1")
        claim = self.claim(
            self.count,
            fileloc=str(self.folder / "dags" / name),
            relative_fileloc=name,
            **changes,
        )
        key = f"{self.count}-1"
        self.processes.start(TaskOrder(key=key, claim=claim, log_path=f"{key}.log"))
        return key

    def wait_for(self, kind: type, key: str) -> Event:
        deadline = time.monotonic() + OS_WAIT_S
        while True:
            for event in self.events:
                if isinstance(event, kind) and event.key == key:
                    self.events.remove(event)
                    return event
            assert time.monotonic() < deadline, f"no {kind.__name__} within {OS_WAIT_S} s"
            self.events.extend(self.processes.poll(0.2))

    def end_of(self, key: str) -> TaskEnded:
        ended = self.wait_for(TaskEnded, key)
        self.processes.close_log(key, "closed")
        return ended

    def run(self, name: str = "sales.py", **changes) -> TaskEnded:
        return self.end_of(self.start(name, **changes))

    def log(self, key: str) -> str:
        return (self.folder / "logs" / f"{key}.log").read_text()


@pytest.fixture
def make_os_world(tmp_path, claim) -> Iterator[Callable[..., OsWorld]]:
    worlds = []

    def make(*, clock: Clock | None = None, **settings) -> OsWorld:
        dags = tmp_path / "dags"
        dags.mkdir(exist_ok=True)
        journal = EntryJournal(tmp_path / "run" / "entered")
        processes = OsProcesses(
            OsSettings(
                log_folder=tmp_path / "logs",
                dags_folder=dags,
                import_folders=[str(dags)],
                **settings,
            ),
            clock or WallClock(),
            journal=journal.descriptor,
        )
        handler = signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(processes.wakeup_fd(), warn_on_full_buffer=False)
        worlds.append((processes, journal, handler))
        return OsWorld(tmp_path, claim, processes, journal)

    yield make
    for processes, journal, handler in worlds:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, handler)
        processes.stop()
        journal.close()


@pytest.fixture
def os_world(make_os_world) -> OsWorld:
    return make_os_world()
