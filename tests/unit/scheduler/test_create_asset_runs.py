"""From a producer's end to its consumers' runs, on the real store and a clock moved by hand."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from tradewind.database.errors import NotFound
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
from tradewind.scheduler.create_asset_runs import CreateAssetRuns
from tradewind.scheduler.create_due_runs import CreateDueRuns
from tradewind.scheduler.plan_next_runs import PlanNextRuns
from tradewind.scheduler.quarantine import Quarantine
from tradewind.scheduler.step import Tick
from tradewind.sdk.asset import Asset, AssetAlias
from tradewind.sdk.clock import VirtualClock
from tradewind.sdk.serialized import (
    SerializedAsset,
    SerializedDag,
    SerializedTask,
    SerializedTimetable,
    encode,
)
from tradewind.sdk.timetables.asset_driven import AssetOrTimeSchedule
from tradewind.sdk.timetables.registry import serialize_timetable
from tradewind.sdk.timetables.trigger import CronTriggerTimetable

NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)
A, B = Asset("a", "s3://a"), Asset("b", "s3://b")
WORKER = "worker"


def outlet(asset: Asset | AssetAlias) -> SerializedAsset:
    uri = getattr(asset, "uri", "")
    return SerializedAsset(asset.name, uri, is_alias=not uri)


def event_of(asset: Asset, **fields) -> dict:
    return {"name": asset.name, "uri": asset.uri, "group": "asset", "extra": {}, **fields}


class House:
    def __init__(self, store: Store, clock: VirtualClock) -> None:
        self.clock, self.store = clock, store
        self.step = CreateAssetRuns(store)
        self.quarantine = Quarantine(clock)
        identity = WorkerIdentity(WORKER, "host", "boot", 1, 1.0, "LocalExecutor", slots=9)
        store.workers.register(identity, clock.now())

    def add(
        self,
        dag_id,
        *,
        schedule=None,
        outlets=(),
        dialect="3",
        is_paused=False,
        timetable=None,
        **fields,
    ):
        task = SerializedTask("t", "PythonOperator", outlets=[outlet(one) for one in outlets])
        kind = "asset_triggered" if schedule is not None else "null"
        dag = SerializedDag(
            dag_id,
            dialect,
            timetable or SerializedTimetable(kind, can_be_scheduled=False),
            is_paused_upon_creation=is_paused,
            asset_expression=None if schedule is None else schedule.as_expression(),
            tasks=[task],
            **fields,
        )
        now = self.clock.now()
        file = ParsedFile(
            f"{dag_id}.py", f"/{dag_id}.py", "0", now, 0.0, [ParsedDag(dag_id, encode(dag))]
        )
        self.store.files.save(file, now)

    def begin(self, dag_id, run_id="r", **fields):
        now = self.clock.now()
        self.store.runs.create(NewRun(dag_id, run_id, "manual", now, **fields), now)
        self.store.runs.start_queued(now)
        (claim,) = self.store.attempts.claim(ClaimRequest(WORKER, "LocalExecutor", 1), now)
        return claim

    def end(self, claim, *events, outcome="success"):
        result = AttemptResult(
            claim.task_instance_id, claim.epoch, claim.claim_id, outcome, asset_events=events
        )
        self.store.attempts.finish([result], self.clock.now())

    def produce(self, dag_id, *events, run_id="r", **fields):
        self.end(self.begin(dag_id, run_id, **fields), *events)

    def post(self, asset, **extra):
        return self.store.assets.post_event(
            self.clock.now(), "user:ada", name=asset.name, extra=extra
        )

    def tick(self):
        tick = Tick(self.clock.now(), is_sweep=True, quarantine=self.quarantine)
        self.step.run(tick)
        return tick.changed

    def runs(self, dag_id):
        return self.store.runs.list(dag_id, order="id")

    def consumed(self, dag_id):
        return [
            [event.name for event in self.store.assets.consumed(dag_id, run.run_id)]
            for run in self.runs(dag_id)
        ]


@pytest.fixture
def house():
    clock = VirtualClock(NOON)
    store = Store.in_memory(clock=clock)
    yield House(store, clock)
    store.close()


def test_a_producer_that_succeeds_makes_a_run_of_its_consumer_and_only_one(house):
    house.add("producer", outlets=[A])
    house.add("consumer", schedule=A)
    house.produce("producer", event_of(A, extra={"rows": 3}))

    assert house.tick()
    assert not house.tick()

    (run,) = house.runs("consumer")
    assert (run.run_type, run.triggered_by, run.state) == ("asset_triggered", "asset", "queued")
    (event,) = house.store.assets.consumed("consumer", run.run_id)
    assert (event.name, event.uri, event.extra) == ("a", "s3://a", {"rows": 3})
    source = event.source_dag_id, event.source_run_id, event.source_task_id, event.source_map_index
    assert source == ("producer", "r", "t", -1)


@pytest.mark.parametrize("outcome", ["failed", "skipped"])
def test_a_producer_that_does_not_succeed_makes_no_event(house, outcome):
    house.add("producer", outlets=[A])
    house.add("consumer", schedule=A)

    house.end(house.begin("producer"), event_of(A), outcome=outcome)

    assert house.store.assets.events() == []
    assert not house.tick()


def test_a_result_that_comes_too_late_makes_no_event(house):
    house.add("producer", outlets=[A])
    house.add("consumer", schedule=A)
    claim = house.begin("producer")
    house.end(claim, event_of(A))
    house.end(claim, event_of(A))

    assert len(house.store.assets.events()) == 1


def test_example_4_5_both_of_two_assets_are_waited_for(house):
    house.add("producer", outlets=[A, B])
    house.add("consumer", schedule=A & B, max_active_runs=9)
    for minute, asset in enumerate((A, A, B, B)):
        house.clock.set(NOON + timedelta(minutes=minute))
        house.produce("producer", event_of(asset), run_id=f"r{minute}")
        house.tick()

    assert house.consumed("consumer") == [["a", "a", "b"]]
    assert [event.name for event in house.store.assets.queued("consumer")] == ["b"]

    house.produce("producer", event_of(A), run_id="last")
    house.tick()
    assert house.consumed("consumer") == [["a", "a", "b"], ["b", "a"]]


def test_each_consumer_consumes_each_event(house):
    house.add("producer", outlets=[A])
    house.add("one", schedule=A)
    house.add("two", schedule=A | B)
    house.produce("producer", event_of(A))

    house.tick()

    assert house.consumed("one") == house.consumed("two") == [["a"]]


def test_the_run_of_dialect_2_is_dated_by_the_event_and_covers_what_its_producer_covered(house):
    house.add("producer", outlets=[A])
    house.add("consumer", schedule=A, dialect="2", max_active_runs=9)
    covered = {
        "logical_date": NOON - timedelta(days=1),
        "data_interval_start": NOON - timedelta(days=1),
        "data_interval_end": NOON,
    }
    house.produce("producer", event_of(A), **covered)
    house.tick()
    house.post(A)  # at the same instant
    house.tick()

    first, second = house.runs("consumer")
    assert first.run_id == "dataset_triggered__2026-01-10T12:00:00+00:00"
    assert (first.logical_date, first.run_after) == (NOON, NOON)
    assert first.data_interval_start == NOON - timedelta(days=1)
    assert first.data_interval_end == NOON
    assert second.logical_date == NOON + timedelta(microseconds=1)
    assert second.data_interval_start == second.data_interval_end == NOON


def test_events_of_a_pause_make_no_run(house):
    house.add("consumer", schedule=A, is_paused=True)
    house.post(A, n=1)
    house.store.dags.set_paused("consumer", False, house.clock.now(), "user:ada")
    assert not house.tick()

    house.post(A, n=2)
    house.tick()
    assert house.consumed("consumer") == [["a", "a"]]


def test_an_event_waits_while_the_dag_has_all_the_runs_that_it_may(house):
    house.add("consumer", schedule=A, max_active_runs=1)
    house.post(A)
    house.tick()
    house.post(A)
    house.post(A)
    assert not house.tick()

    (run,) = house.runs("consumer")
    house.store.runs.set_state("consumer", run.run_id, "success", house.clock.now(), "user:ada")
    house.tick()
    assert house.consumed("consumer") == [["a"], ["a", "a"]]


def test_an_asset_that_is_added_to_an_alias_triggers_who_waits_for_the_alias(house):
    alias = AssetAlias("x")
    house.add("producer", outlets=[alias])
    house.add("consumer", schedule=alias)
    house.add("direct", schedule=A)
    house.produce("producer", event_of(A, aliases=["x"]))
    house.tick()

    assert house.consumed("consumer") == house.consumed("direct") == [["a"]]
    assert house.store.assets.aliases() == {"x": ["a"]}
    assert [one.aliases for one in house.store.assets.events(alias="x")] == [("x",)]


def test_a_reference_finds_the_asset_that_another_dag_defines(house):
    house.add("producer", outlets=[A])
    house.add("consumer", schedule=Asset.ref(name="a") & Asset.ref(uri="s3://a"))
    house.produce("producer", {"name": "a", "uri": None, "extra": {}})
    house.tick()

    assert house.consumed("consumer") == [["a"]]


def test_an_event_that_was_posted_from_outside_counts_and_must_name_an_asset(house):
    house.add("consumer", schedule=A)
    assert house.post(A, by="hand").source_dag_id is None
    house.tick()
    assert len(house.runs("consumer")) == 1
    with pytest.raises(NotFound, match="no asset 'b'"):
        house.post(B)


def test_a_schedule_that_changes_forgets_what_waited_for_the_old_one(house):
    house.add("consumer", schedule=A & B)
    house.post(A)
    house.add("consumer", schedule=B)
    assert house.store.assets.queued("consumer") == []
    house.post(B)
    house.tick()
    assert house.consumed("consumer") == [["b"]]


def test_an_asset_is_active_while_a_dag_in_force_names_it(house):
    renamed = Asset("a", "s3://new")
    house.add("producer", outlets=[A])
    house.add("other", outlets=[renamed])
    named = [(A.name, A.uri), (renamed.name, renamed.uri), ("none", "none")]
    assert house.store.assets.inactive(named) == named[1:2]

    house.store.files.forget("producer.py", house.clock.now())
    assert house.store.assets.inactive(named) == named[:1]
    assert [one.uri for one in house.store.assets.list()] == ["s3://new"]


def test_a_schedule_of_assets_or_time_has_both_kinds_of_runs(house):
    rhythm = CronTriggerTimetable("0 * * * *", timezone="UTC")
    schedule = AssetOrTimeSchedule(timetable=rhythm, assets=[A, B])
    house.add(
        "consumer",
        schedule=schedule.asset_condition,
        timetable=serialize_timetable(schedule),
        start_at=NOON,
    )
    steps = [PlanNextRuns(house.store), CreateDueRuns(house.store), house.step]
    for asset in (A, B):
        house.post(asset)
        tick = Tick(house.clock.now(), is_sweep=True, quarantine=house.quarantine)
        for step in steps:
            step.run(tick)

    assert [run.run_type for run in house.runs("consumer")] == ["scheduled", "asset_triggered"]
    assert house.consumed("consumer") == [[], ["a", "b"]]


def test_two_producers_that_finish_at_once_make_one_run_of_both_events(tmp_path):
    settings = StoreSettings(url=f"sqlite:///{tmp_path}/tradewind.db")
    migrate(settings)
    clock = VirtualClock(NOON)
    stores = [Store(settings, clock) for _ in range(4)]
    house = House(stores[0], clock)
    house.add("one", outlets=[A])
    house.add("two", outlets=[B])
    house.add("consumer", schedule=A & B, max_active_runs=99)
    rounds = 4
    barrier = threading.Barrier(4)
    claims = {
        dag_id: [house.begin(dag_id, f"r{number}") for number in range(rounds)]
        for dag_id in ("one", "two")
    }

    def produce(store, dag_id, asset):
        barrier.wait()
        for claim in claims[dag_id]:
            result = AttemptResult(
                claim.task_instance_id,
                claim.epoch,
                claim.claim_id,
                "success",
                asset_events=[event_of(asset)],
            )
            store.attempts.finish([result], NOON)

    def consume(store):
        barrier.wait()
        for _ in range(4 * rounds):
            store.assets.create_run("consumer", NOON)

    threads = [
        threading.Thread(target=produce, args=(stores[0], "one", A)),
        threading.Thread(target=produce, args=(stores[1], "two", B)),
        threading.Thread(target=consume, args=(stores[2],)),
        threading.Thread(target=consume, args=(stores[3],)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    stores[2].assets.create_run("consumer", NOON)

    taken = [
        event.id
        for run in house.store.runs.list("consumer", limit=100)
        for event in house.store.assets.consumed("consumer", run.run_id)
    ]
    waiting = [event.id for event in house.store.assets.queued("consumer")]
    made = [event.id for event in house.store.assets.events()]
    for store in stores:
        store.close()

    assert len(made) == 2 * rounds
    assert taken
    assert sorted([*taken, *waiting]) == made
