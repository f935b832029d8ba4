"""The triggerer against a real store and a scripted process, on a virtual clock."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from tradewind.database.errors import DatabaseBusy
from tradewind.database.selections import Selection
from tradewind.database.store import Store
from tradewind.database.values import (
    AttemptResult,
    ClaimRequest,
    NewRun,
    ParsedDag,
    ParsedFile,
    WorkerIdentity,
)
from tradewind.runtime.supervise.trigger_process import Heard
from tradewind.runtime.supervise.triggerer import Triggerer, TriggererSettings
from tradewind.runtime.task.run_trigger import TriggerReport
from tradewind.sdk.clock import VirtualClock
from tradewind.sdk.serialized import SerializedDag, SerializedTask, SerializedTimetable, encode

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class ScriptedProcess:
    """Remembers what it is told, and says what a test gave it to say."""

    def __init__(self):
        self.begun, self.cancelled, self.answers, self.waits = [], [], [], []
        self.heard = Heard()
        self.is_stopped = False

    def run(self, trigger):
        self.begun.append(trigger.id)

    def cancel(self, trigger_id, *, is_by_user):
        self.cancelled.append((trigger_id, is_by_user))

    def wait(self, timeout_s):
        self.waits.append(timeout_s)
        heard, self.heard = self.heard, Heard()
        return heard

    def answer(self, reply):
        self.answers.append(reply.value)

    def stop(self):
        self.is_stopped = True


class World:
    """A store in which tasks defer themselves, and triggerers."""

    def __init__(self, tasks=1):
        self.clock = VirtualClock(NOW)
        self.store = Store.in_memory(clock=self.clock)
        dag = SerializedDag(
            "d",
            "3",
            SerializedTimetable("null"),
            relative_fileloc="d.py",
            tasks=[SerializedTask(f"t{i}", "Operator") for i in range(tasks)],
            is_paused_upon_creation=False,
        )
        self.store.files.save(
            ParsedFile(
                relative_path="d.py",
                path="/d.py",
                content_hash="x",
                parsed_at=NOW,
                duration_s=0.1,
                dags=[ParsedDag("d", encode(dag))],
                source="",
            ),
            NOW,
        )
        worker = WorkerIdentity("w", "host", "boot", 1, 1.0, "LocalExecutor", slots=99)
        self.store.workers.register(worker, NOW)
        self.store.runs.create(NewRun("d", "r", run_type="manual", run_after=NOW), NOW)
        self.store.runs.start_queued(NOW)
        self.store.attempts.queue(NOW)
        trigger = {"class_path": "a.B", "kwargs": "{}", "next_method": "m", "timeout_s": 60.0}
        for claim in self.store.attempts.claim(ClaimRequest("w", "LocalExecutor", 99), NOW):
            result = AttemptResult(
                claim.task_instance_id, claim.epoch, claim.claim_id, "deferred", trigger=trigger
            )
            self.store.attempts.finish([result], NOW)
        self.processes = []
        self.resumed = {}

    def triggerer(self, capacity=10, dead=()):
        process = ScriptedProcess()
        self.processes.append(process)
        names = iter(f"t{len(self.processes)}-{number}" for number in range(9))
        made = Triggerer(
            store=self.store,
            clock=self.clock,
            process=process,
            make_identity=lambda: WorkerIdentity(next(names), "host", "b", 1, 1.0, "Triggerer"),
            settings=TriggererSettings(capacity=capacity),
            is_dead=lambda row, own: row.id in dead,
        )
        made.start()
        return made, process

    def payload(self, task_id):
        """Return what the task instance goes on with; each of them is handed out once."""
        if not self.resumed:
            for claim in self.store.attempts.claim(ClaimRequest("w", "LocalExecutor", 99), NOW):
                assert claim.task_id not in self.resumed
                self.resumed[claim.task_id] = json.loads(claim.next_kwargs)["event"]
        return self.resumed[task_id]

    def state(self, task_id="t0"):
        return self.store.task_instances.get("d", "r", task_id).state


@pytest.fixture
def world():
    return World()


def test_what_fires_lets_its_task_go_on(world):
    triggerer, process = world.triggerer()
    triggerer.turn()
    (trigger_id,) = process.begun

    process.heard.reports = [TriggerReport(trigger_id, '"yes"')]
    triggerer.turn()

    assert world.state() == "queued"
    assert triggerer.running == frozenset()


def test_what_a_dead_triggerer_watched_is_taken_over_at_once(world):
    first, process = world.triggerer()
    first.turn()

    second, other = world.triggerer(dead=("t1-0",))
    second.turn()

    assert other.begun == process.begun
    assert other.waits == [0.0]


def test_triggers_of_a_claim_whose_answer_was_lost_are_not_forgotten(world, monkeypatch):
    triggerer, process = world.triggerer()
    claim = world.store.triggers.claim

    def claim_and_fail(*values):
        claim(*values)
        raise DatabaseBusy("the answer was lost")

    monkeypatch.setattr(world.store.triggers, "claim", claim_and_fail)
    triggerer.turn()
    monkeypatch.setattr(world.store.triggers, "claim", claim)
    world.clock.advance(seconds=10)

    triggerer.turn()

    assert len(process.begun) == 1


def test_one_triggerer_takes_no_more_than_it_can_and_leaves_the_rest_to_another():
    world = World(tasks=5)
    first, process = world.triggerer(capacity=3)
    second, other = world.triggerer()

    first.turn()
    second.turn()

    assert (len(process.begun), len(other.begun)) == (3, 2)
    assert not set(process.begun) & set(other.begun)


def test_of_two_triggerers_one_dies_and_each_trigger_fires_once_all_the_same():
    world = World(tasks=6)
    first, process = world.triggerer(capacity=3)
    first.turn()
    second, other = world.triggerer(capacity=10, dead=("t1-0",))
    kept, reported, lost = process.begun

    # The one is stored; the other was seen by its process, which dies before it can be stored.
    process.heard.reports = [TriggerReport(reported, '"first"')]
    first.turn()
    process.heard.reports = [TriggerReport(lost, '"never stored"')]
    second.turn()
    second.turn()  # what belonged to a dead one is free from the turn after that which found it

    assert sorted(other.begun) == sorted({*other.begun})
    assert {kept, lost} <= set(other.begun)
    assert reported not in other.begun
    other.heard.reports = [TriggerReport(number, '"second"') for number in other.begun]
    second.turn()
    first.turn()  # it was only slow, and tells what it has heard after all

    payloads = [world.payload(f"t{number}") for number in range(6)]
    assert sorted(payloads) == ["first", *["second"] * 5]
    assert second.running == frozenset()


def test_a_trigger_that_nobody_waits_for_is_cancelled(world):
    triggerer, process = world.triggerer()
    triggerer.turn()
    world.store.task_instances.clear(Selection("d", run_ids=["r"]), NOW, "user:me")

    triggerer.turn()

    assert process.cancelled == [(process.begun[0], True)]


def test_a_trigger_that_is_late_is_cancelled_without_on_kill(world):
    triggerer, process = world.triggerer()
    triggerer.turn()

    world.clock.advance(seconds=60)
    world.store.workers.renew("t1-0", world.clock.now())
    triggerer.turn()

    assert process.cancelled == [(process.begun[0], False)]
    assert world.state() == "queued"


def test_after_the_death_of_the_process_all_triggers_begin_again(world):
    triggerer, process = world.triggerer()
    triggerer.turn()

    process.heard.has_died = True
    triggerer.turn()
    world.clock.advance(seconds=2)
    triggerer.turn()

    assert process.begun == [process.begun[0]] * 2
    assert world.state() == "deferred"


def test_whoever_lost_its_lease_stops_everything_and_begins_anew(world):
    triggerer, process = world.triggerer()
    triggerer.turn()
    world.store.workers.declare_dead("t1-0", NOW, "it slept")
    world.clock.advance(seconds=6)

    triggerer.turn()

    assert process.is_stopped
    assert len(process.begun) == 2


def test_a_triggerer_that_stops_leaves_its_triggers_to_others_at_once(world):
    first, _ = world.triggerer()
    first.turn()
    first.close()

    second, process = world.triggerer()
    second.turn()

    assert len(process.begun) == 1


def test_triggers_may_ask_for_the_states_of_others(world):
    triggerer, process = world.triggerer()
    process.heard.asked = [
        (
            "count_dag_runs",
            {"dag_id": "d", "logical_dates": None, "run_ids": ["r"], "states": ["running"]},
        )
    ]

    triggerer.turn()

    assert process.answers == [1]


def test_a_triggerer_shows_that_it_lives(world):
    triggerer, _ = world.triggerer()

    triggerer.turn()

    assert [process.kind for process in world.store.processes.list()] == ["triggerer"]
