"""When messages of the outbox are given to children, and what becomes of them. Virtual time."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tradewind.database.errors import DatabaseBusy
from tradewind.database.migrate import migrate
from tradewind.database.settings import StoreSettings
from tradewind.database.store import Store
from tradewind.database.values import (
    AttemptResult,
    ClaimRequest,
    NewRun,
    ParsedDag,
    ParsedFile,
    WorkerIdentity,
)
from tradewind.runtime.supervise.log_files import TaskLog
from tradewind.scheduler.callback_children import EndedDelivery
from tradewind.scheduler.deliver_callbacks import PARALLEL, DeliverCallbacks
from tradewind.scheduler.delivery_journal import DeliveryJournal
from tradewind.scheduler.parse_settings import DagRoot, ParseSettings
from tradewind.sdk.clock import VirtualClock
from tradewind.sdk.serialized import SerializedDag, SerializedTask, SerializedTimetable, encode

DAGS = Path("/somewhere/dags")


class FakeChildren:
    """Children that end when, and as, the test says."""

    def __init__(self) -> None:
        self.orders = {}
        self.started = []
        self.ended = []

    def running(self):
        return len(self.orders)

    def start(self, message_id, order, scope, log):
        self.orders[message_id] = order
        self.started.append(order)

    def poll(self):
        ended, self.ended = self.ended, []
        return ended

    def end(self, error=""):
        """Let the child that began first end."""
        message_id = next(iter(self.orders))
        del self.orders[message_id]
        self.ended.append(EndedDelivery(message_id, error))


class World:
    """A store with one DAG, and a delivery whose time the test moves."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = VirtualClock(datetime(2026, 1, 1, tzinfo=UTC))
        self.settings = StoreSettings(url=f"sqlite:///{folder}/tradewind.db")
        migrate(self.settings)
        self.store = Store(self.settings)
        worker = WorkerIdentity("w", "host", "boot", 1, 1.0, "LocalExecutor", slots=32)
        self.store.workers.register(worker, self.clock.now())
        self.restart()

    def restart(self) -> None:
        """Begin anew, as after the manager was killed."""
        self.children = FakeChildren()
        self.journal = DeliveryJournal(self.folder / "callbacks.called")
        self.delivery = DeliverCallbacks(
            store=self.store,
            clock=self.clock,
            children=self.children,
            journal=self.journal,
            settings=ParseSettings(roots=(DagRoot(DAGS),)),
            open_log=lambda dag_id, run_id: TaskLog(self.log_path, self.clock),
        )

    @property
    def log_path(self) -> Path:
        return self.folder / "callbacks.log"

    def add_dag(self, *tasks: str, task_callbacks=(), **fields) -> None:
        now = self.clock.now()
        dag = SerializedDag(
            dag_id="d",
            dialect="3",
            timetable=SerializedTimetable("null"),
            relative_fileloc="sub/d.py",
            is_paused_upon_creation=False,
            tasks=[
                SerializedTask(one, "PythonOperator", callbacks=list(task_callbacks))
                for one in tasks
            ],
            **fields,
        )
        parsed = ParsedFile(
            "sub/d.py", "/d.py", "hash", now, 0.1, dags=[ParsedDag("d", encode(dag))]
        )
        self.store.files.save(parsed, now)

    def run_and_fail(self, reason="signal 9 (SIGKILL)", run_id="r", seconds=1.0) -> None:
        """Run the DAG; each task fails, and its process could not call anything."""
        now = self.clock.now()
        self.store.runs.create(NewRun("d", run_id, run_type="manual", run_after=now), now)
        self.store.runs.start_queued(now)
        for claim in self.store.attempts.claim(ClaimRequest("w", "LocalExecutor", 32), now):
            self.clock.advance(seconds=seconds)
            result = AttemptResult(
                claim.task_instance_id,
                claim.epoch,
                claim.claim_id,
                "failed",
                reason,
                self.clock.now(),
                has_run_callbacks=False,
            )
            self.store.attempts.finish([result], self.clock.now())

    def pass_time(self, seconds=1.0) -> None:
        for _ in range(max(1, int(seconds))):
            self.clock.advance(seconds=1)
            self.delivery.run()

    def log_text(self) -> str:
        return self.log_path.read_text()


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    yield made
    made.store.close()


def test_a_killed_tasks_callback_is_ordered_with_its_try_and_reason(world):
    world.add_dag("a", task_callbacks=["failure"])
    world.run_and_fail()

    world.delivery.run()

    [order] = world.children.started
    assert (order.kind, order.state, order.reason) == (
        "task_failure",
        "failed",
        "signal 9 (SIGKILL)",
    )
    assert (order.spec.task_id, order.spec.try_number) == ("a", 1)
    assert order.path == str(DAGS / "sub/d.py")


def test_a_dags_callback_sees_the_task_that_failed_last_and_the_run_as_it_ended(world):
    world.add_dag("a", "b", callbacks=["failure"])
    world.run_and_fail()

    world.delivery.run()

    [order] = world.children.started
    assert (order.kind, order.reason, order.spec.task_id) == ("dag_failure", "task_failure", "b")
    assert order.spec.dag_run["state"] == "failed"


def test_what_was_called_is_not_called_again(world):
    world.add_dag("a", task_callbacks=["failure"])
    world.run_and_fail()
    world.delivery.run()
    world.children.end()

    world.pass_time(seconds=600)

    assert len(world.children.started) == 1
    assert world.delivery.is_idle()
    assert "Callbacks were called" in world.log_text()


def test_a_callback_that_takes_its_whole_time_is_not_begun_twice(world):
    world.add_dag("a", task_callbacks=["failure"])
    world.run_and_fail()

    world.pass_time(seconds=600)

    assert len(world.children.started) == 1


def test_a_killed_delivery_is_tried_again_later_and_parked_at_last(world):
    world.add_dag("a", task_callbacks=["failure"])
    world.run_and_fail()

    for _ in range(2000):
        world.pass_time()
        if world.children.orders:
            world.children.end("its process was ended by signal 9")

    assert len(world.children.started) == world.settings.outbox_tries_max
    assert "it is tried again later: its process was ended by signal 9" in world.log_text()
    assert "given up after 8 tries" in world.log_text()


def test_a_child_that_died_after_its_last_callback_has_delivered(world):
    world.add_dag("a", task_callbacks=["failure"])
    world.run_and_fail()
    world.delivery.run()
    note_called(world)
    world.children.end("its process was ended by signal 9")

    world.pass_time(seconds=600)

    assert len(world.children.started) == 1


def test_a_manager_that_died_before_it_stored_a_delivery_does_not_repeat_it(world):
    world.add_dag("a", task_callbacks=["failure"])
    world.run_and_fail()
    world.delivery.run()
    note_called(world)

    world.restart()
    world.pass_time(seconds=600)

    assert world.children.started == []
    assert not world.store.outbox.has_begun()


def test_a_manager_that_died_during_a_delivery_repeats_it(world):
    world.add_dag("a", task_callbacks=["failure"])
    world.run_and_fail()
    world.delivery.run()

    world.restart()
    world.pass_time(seconds=100)

    assert len(world.children.started) == 1


def test_the_journal_is_emptied_when_all_is_stored(world):
    world.add_dag("a", task_callbacks=["failure"])
    world.run_and_fail()
    world.delivery.run()
    note_called(world)
    world.children.end()

    world.pass_time(seconds=5)

    assert world.journal.keys() == set()


def test_through_an_outage_a_delivery_is_remembered(world, monkeypatch):
    world.add_dag("a", task_callbacks=["failure"])
    world.run_and_fail()
    world.delivery.run()
    world.children.end()

    def refuse(message_id):
        raise DatabaseBusy("locked")

    with monkeypatch.context() as patch:
        patch.setattr(type(world.store.outbox), "done", staticmethod(refuse))
        world.pass_time(seconds=200)
    world.pass_time(seconds=200)

    assert len(world.children.started) == 1
    assert not world.store.outbox.has_begun()


def test_only_a_few_are_called_at_once_and_no_one_waits_for_the_sweep(world):
    world.add_dag(*(f"t{number}" for number in range(10)), task_callbacks=["failure"])
    world.run_and_fail()

    world.delivery.run()
    running = world.children.running()
    world.children.end()
    world.delivery.run()

    assert (running, world.children.running()) == (PARALLEL, PARALLEL)
    assert len(world.children.started) == PARALLEL + 1


def test_a_rung_bell_begins_a_delivery_before_the_sweep(world):
    world.add_dag("a", task_callbacks=["failure"])
    world.clock.advance(seconds=10)
    world.delivery.run()
    world.run_and_fail(seconds=0.1)

    world.delivery.run()
    before = len(world.children.started)
    world.delivery.look_now()
    world.delivery.run()

    assert (before, len(world.children.started)) == (0, 1)


def test_a_callback_of_a_deleted_run_is_dropped(world):
    world.add_dag("a", callbacks=["failure"])
    world.run_and_fail()
    world.store.runs.delete("d", "r", world.clock.now(), "user:me")

    world.pass_time(seconds=5)

    assert world.children.started == []
    assert not world.store.outbox.has_begun()


def note_called(world) -> None:
    """Do what a child does after its last callback."""
    order = world.children.started[-1]
    with (world.folder / "callbacks.called").open("a") as journal:
        journal.write(f"{order.key}\n")
