"""The triggerer and triggers that watch assets, against a real store and a scripted process."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tradewind.database.errors import DatabaseBusy
from tradewind.database.store import Store
from tradewind.database.values import ParsedDag, ParsedFile, WorkerIdentity
from tradewind.runtime.supervise.trigger_process import Heard
from tradewind.runtime.supervise.triggerer import IDLE_SWEEP_S, Triggerer, TriggererSettings
from tradewind.runtime.task.run_trigger import WatcherReport
from tradewind.sdk.clock import VirtualClock
from tradewind.sdk.serialized import (
    SerializedAsset,
    SerializedDag,
    SerializedTask,
    SerializedTimetable,
    SerializedWatcher,
    encode,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WATCHER = SerializedWatcher("data", "s3://data", "inbox", "a.Trigger", "{}")


class ScriptedProcess:
    """Remembers which watchers it is to run, and says what a test gave it to say."""

    def __init__(self):
        self.begun, self.cancelled, self.waits = [], [], []
        self.heard = Heard()
        self.is_stopped = False

    def watch(self, run_number, watcher):
        self.begun.append(run_number)

    def cancel(self, trigger_id, *, is_by_user):
        self.cancelled.append(trigger_id)

    def wait(self, timeout_s):
        self.waits.append(timeout_s)
        heard, self.heard = self.heard, Heard()
        return heard

    def stop(self):
        self.is_stopped = True


class World:
    """A store with a DAG whose asset is watched, and triggerers."""

    def __init__(self):
        self.clock = VirtualClock(NOW)
        self.store = Store.in_memory(clock=self.clock)
        self.count = 0
        self.declare()

    def declare(self, *watchers):
        task = SerializedTask("t", "Operator", outlets=[SerializedAsset("data", "s3://data")])
        dag = SerializedDag("d", "3", SerializedTimetable("null"), tasks=[task])
        parsed = ParsedFile(
            relative_path="d.py",
            path="/d.py",
            content_hash="x",
            parsed_at=NOW,
            duration_s=0.1,
            dags=[ParsedDag("d", encode(dag), watchers or (WATCHER,))],
            source="",
        )
        self.store.files.save(parsed, NOW)

    def triggerer(self, capacity=10, dead=()):
        self.count += 1
        names = iter(f"t{self.count}-{number}" for number in range(9))
        process = ScriptedProcess()
        made = Triggerer(
            store=self.store,
            clock=self.clock,
            process=process,
            make_identity=lambda: WorkerIdentity(next(names), "host", "b", 1, 1.0, "Triggerer"),
            settings=TriggererSettings(capacity=capacity),
            is_dead=lambda row, own: row.id in dead,
        )
        made.start()
        made.turn()
        return made, process

    def payloads(self):
        return [row.extra["payload"] for row in self.store.assets.events(name="data")]


@pytest.fixture
def world():
    return World()


def say(triggerer, process, *reports):
    process.heard.watched = list(reports)
    triggerer.turn()


def test_each_event_of_a_watching_trigger_is_one_of_the_asset(world):
    triggerer, process = world.triggerer()
    (run,) = process.begun

    say(triggerer, process, WatcherReport(run, '"a"'), WatcherReport(run, '"b"'))
    say(triggerer, process, WatcherReport(run, '"a"'))

    assert world.payloads() == ["a", "b", "a"]
    assert process.begun == [run]


def test_one_triggerer_runs_it_and_another_takes_over_after_its_death(world):
    world.triggerer()
    _, second = world.triggerer()
    assert second.begun == []

    _, third = world.triggerer(dead=("t1-0",))

    assert len(third.begun) == 1


def test_a_triggerer_that_stops_leaves_its_watchers_to_others_at_once(world):
    first, _ = world.triggerer()
    first.close()

    _, process = world.triggerer()

    assert len(process.begun) == 1


@pytest.mark.parametrize(("error", "pause_s"), [("", 1), ("Traceback", 5)])
def test_one_that_ends_begins_again_after_a_pause(world, error, pause_s):
    triggerer, process = world.triggerer()
    (run,) = process.begun

    say(
        triggerer, process, WatcherReport(run, "1"), WatcherReport(run, has_ended=True, error=error)
    )
    world.clock.advance(seconds=pause_s - 0.5)
    triggerer.turn()
    assert process.begun == [run]
    assert process.waits[-1] < IDLE_SWEEP_S
    world.clock.advance(seconds=0.5)
    triggerer.turn()

    assert len(set(process.begun)) == 2
    assert world.payloads() == [1]


def test_one_that_no_file_declares_any_more_is_stopped_and_says_nothing_more(world):
    triggerer, process = world.triggerer()
    (run,) = process.begun
    world.store.files.forget("d.py", NOW)

    triggerer.turn()
    say(triggerer, process, WatcherReport(run, "1"))

    assert process.cancelled == [run]
    assert world.payloads() == []


def test_changed_arguments_replace_the_running_trigger(world):
    triggerer, process = world.triggerer()
    (run,) = process.begun
    world.declare(SerializedWatcher("data", "s3://data", "inbox", "a.Trigger", '{"n":2}'))

    triggerer.turn()

    assert process.cancelled == [run]
    assert len(process.begun) == 2


def test_it_begins_again_after_the_death_of_the_process(world):
    triggerer, process = world.triggerer()
    (run,) = process.begun
    say(triggerer, process, WatcherReport(run, "1"))

    process.heard.has_died = True
    triggerer.turn()
    world.clock.advance(seconds=2)
    triggerer.turn()
    say(triggerer, process, WatcherReport(run, '"late"'), WatcherReport(process.begun[1], "2"))

    assert world.payloads() == [1, 2]


def test_an_event_whose_writing_got_no_answer_is_written_once(world, monkeypatch):
    triggerer, process = world.triggerer()
    report = world.store.watchers.report

    def report_and_fail(*values):
        report(*values)
        raise DatabaseBusy("the answer was lost")

    monkeypatch.setattr(world.store.watchers, "report", report_and_fail)
    say(triggerer, process, WatcherReport(process.begun[0], "1"))
    monkeypatch.setattr(world.store.watchers, "report", report)
    world.clock.advance(seconds=10)

    triggerer.turn()

    assert world.payloads() == [1]


def test_watchers_of_a_claim_whose_answer_was_lost_are_not_forgotten(world, monkeypatch):
    claim = world.store.watchers.claim

    def claim_and_fail(*values):
        claim(*values)
        raise DatabaseBusy("the answer was lost")

    monkeypatch.setattr(world.store.watchers, "claim", claim_and_fail)
    triggerer, process = world.triggerer()
    monkeypatch.setattr(world.store.watchers, "claim", claim)
    world.clock.advance(seconds=10)

    triggerer.turn()

    assert len(process.begun) == 1


def test_whoever_lost_its_lease_begins_anew(world):
    triggerer, process = world.triggerer()
    world.store.workers.declare_dead("t1-0", NOW, "it slept")
    world.clock.advance(seconds=6)

    triggerer.turn()

    assert process.is_stopped
    assert len(process.begun) == 2
