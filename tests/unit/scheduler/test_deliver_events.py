"""Listeners hear of what was committed: in order, at least once, and from where they were told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from tradewind.runtime.task import call_listeners
from tradewind.scheduler.callback_children import EndedDelivery
from tradewind.scheduler.deliver_events import TRIES_MAX, DeliverEvents
from tradewind.scheduler.parse_settings import DagRoot, ParseSettings
from tradewind.sdk.clock import VirtualClock
from tradewind.sdk.listeners import Listeners, hookimpl

AT = datetime(2026, 1, 1, tzinfo=UTC)
HOOKS = frozenset({"on_dag_run_running", "on_dag_run_failed", "on_new_dag_import_error"})


@dataclass
class Run:
    dag_id: str
    run_id: str
    state: str = "failed"


@dataclass
class Children:
    """Children that end when the test says so."""

    told: list = field(default_factory=list)
    ended: list = field(default_factory=list)

    def running(self):
        return 0

    def start(self, number, order, scope, log):
        self.told.append((number, order.events))

    def poll(self):
        ended, self.ended = self.ended, []
        return ended

    def end(self, error=""):
        self.ended.append(EndedDelivery(self.told[-1][0], error))

    def heard(self):
        return [
            (event["hook"], event.get("dag_run", {}).get("run_id") or event.get("filename"))
            for event in self.told[-1][1]
        ]


@dataclass
class World:
    folder: object
    rows: list = field(default_factory=list)
    assets: list = field(default_factory=list)

    def __post_init__(self):
        self.store = SimpleNamespace(
            events=SimpleNamespace(since=self._since, last_id=lambda: len(self.rows)),
            assets=SimpleNamespace(
                events=lambda **_: [],
                made_after=lambda number, limit: self.assets[number:][:limit],
                newest_id=lambda: len(self.assets),
            ),
            runs=SimpleNamespace(find=Run),
        )
        self.restart()

    def _since(self, number, limit):
        return [row for row in self.rows if row.id > number][:limit]

    def restart(self):
        self.children = Children()
        self.delivery = DeliverEvents(
            store=self.store,
            clock=VirtualClock(AT),
            children=self.children,
            settings=ParseSettings(roots=(DagRoot(self.folder),)),
            cursor_path=self.folder / "run" / "cursor",
            open_log=lambda: SimpleNamespace(close=lambda text: None),
        )

    def note(self, run_id, old, new):
        self.rows.append(
            SimpleNamespace(
                id=len(self.rows) + 1,
                kind="state",
                dag_id="d",
                run_id=run_id,
                detail={"run": [1, old, new, "task_failure"]},
            )
        )

    def make_asset(self, name):
        self.assets.append(
            SimpleNamespace(id=len(self.assets) + 1, name=name, uri=name, group="asset", extra=None)
        )

    def run(self, hooks=HOOKS):
        self.delivery.run(hooks)


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def test_runs_are_told_in_order_by_the_hooks_that_somebody_listens_to(world):
    world.run()
    world.note("one", "", "queued")
    world.note("one", "queued", "running")
    world.note("one", "running", "failed")
    world.note("two", "running", "success")  # nobody listens

    world.run()

    assert world.children.heard() == [("on_dag_run_running", "one"), ("on_dag_run_failed", "one")]


def test_what_happened_before_anybody_listened_is_not_told(world):
    world.note("one", "queued", "running")

    world.run(frozenset({"on_task_instance_success"}))
    world.run()

    assert world.children.told == []


def test_a_restart_goes_on_where_it_was(world):
    world.run()
    world.note("one", "queued", "running")
    world.run()
    world.children.end()
    world.run()
    world.note("two", "queued", "running")

    world.restart()
    world.run()

    assert world.children.heard() == [("on_dag_run_running", "two")]


def test_a_batch_that_cannot_be_told_is_tried_again_and_left_out_in_the_end(world):
    world.run()
    world.note("one", "queued", "running")
    world.run()
    for _ in range(TRIES_MAX):
        world.children.end("the child was killed")
        world.run()
    world.note("two", "queued", "running")
    world.run()

    assert len(world.children.told) == TRIES_MAX + 1
    assert world.children.heard() == [("on_dag_run_running", "two")]


def test_an_import_error_that_comes_while_others_are_told_is_told_next(world):
    world.delivery.note_import_error("/a.py", "broken", True)
    world.run(None)  # nobody knows yet whether somebody listens
    world.run()
    world.delivery.note_import_error("/b.py", "broken", True)
    world.run()
    assert world.children.heard() == [("on_new_dag_import_error", "/a.py")]

    world.children.end()
    world.run()

    assert world.children.heard() == [("on_new_dag_import_error", "/b.py")]


def test_a_cursor_that_cannot_be_read_begins_at_the_newest(world):
    (world.folder / "run").mkdir()
    (world.folder / "run" / "cursor").write_text("no json")
    world.note("one", "queued", "running")

    world.run()

    assert world.children.told == []


@pytest.mark.parametrize("hook", ["on_asset_created", "on_dataset_created"])
def test_assets_that_become_known_are_told_once(world, hook):
    hooks = frozenset({hook})
    world.make_asset("before anybody listened")
    world.run(hooks)
    world.make_asset("new")
    world.run(hooks)

    (told,) = world.children.told[-1][1]
    assert (told["hook"], told["asset"]["name"]) == ("on_asset_created", "new")

    world.children.end()
    world.run(hooks)
    world.restart()
    world.run(hooks)

    assert world.children.told == []


def test_what_comes_before_it_is_known_who_listens_is_told(world):
    world.run(None)
    world.make_asset("of the first file")

    world.run(frozenset({"on_asset_created"}))

    assert [one["asset"]["name"] for one in world.children.told[-1][1]] == ["of the first file"]


def test_a_listener_of_changes_only_does_not_hear_of_new_assets(world):
    hooks = frozenset({"on_asset_changed"})
    world.run(hooks)
    world.make_asset("new")

    world.run(hooks)

    assert world.children.told == []


def test_listeners_get_new_assets_as_assets_under_both_names(monkeypatch):
    heard = []

    class Listener:
        @hookimpl
        def on_asset_created(self, asset):
            heard.append(("asset", asset.name, asset.uri, asset.extra))

        @hookimpl
        def on_dataset_created(self, dataset):
            heard.append(("dataset", dataset.name, dataset.uri, dataset.extra))

    listeners = Listeners()
    listeners.add(Listener())
    monkeypatch.setattr(
        call_listeners, "load_plugins", lambda: SimpleNamespace(listeners=listeners)
    )
    about = {"name": "n", "uri": "s3://n", "group": "asset", "extra": {"a": 1}}

    call_listeners.call_listeners([{"hook": "on_asset_created", "asset": about}])

    assert heard == [("asset", "n", "s3://n", {"a": 1}), ("dataset", "n", "s3://n", {"a": 1})]
