"""Several schedulers and runners at once on one PostgreSQL: nothing twice, no limit exceeded."""

from __future__ import annotations

import threading
import time
from collections import Counter
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
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
from tradewind.executors.fake import FakeExecutor
from tradewind.scheduler.scheduler_main import make_scheduler
from tradewind.sdk.clock import WallClock
from tradewind.sdk.executor_names import LOCAL
from tradewind.sdk.serialized import SerializedDag, SerializedTask, SerializedTimetable, encode
from tradewind.sdk.timetables.create import create_timetable
from tradewind.sdk.timetables.registry import serialize_timetable

SCHEDULERS = 3
RUNNERS = 3
POOL_SLOTS = 3
DEADLINE_S = 90.0
_OCCUPIED = text(
    "SELECT coalesce(sum(pool_slots), 0) FROM task_instance"
    " WHERE pool = 'small' AND state IN ('queued', 'running')"
)
_ACTIVE_RUNS = text("SELECT count(*) FROM dag_run WHERE dag_id = 'hourly' AND state = 'running'")


@pytest.fixture
def open_one(make_postgresql):
    """Open stores of one database, each as a process of its own would."""
    url = make_postgresql(is_migrated=True)
    opened: list[Store] = []

    def open_store() -> Store:
        opened.append(Store(StoreSettings(url=url)))
        return opened[-1]

    yield open_store
    for store in opened:
        store.close()


class Crowd:
    """Threads that work until told to stop; what one of them raises fails the test."""

    def __init__(self) -> None:
        self.is_over = threading.Event()
        self.errors: list[Exception] = []
        self.threads: list[threading.Thread] = []

    def add(self, act) -> None:
        def work() -> None:
            try:
                while not self.is_over.is_set():
                    act()
            except Exception as error:  # noqa: BLE001 - shown by the test
                self.errors.append(error)
                self.is_over.set()

        self.threads.append(threading.Thread(target=work))

    def work_until(self, holds) -> None:
        for thread in self.threads:
            thread.start()
        deadline = time.monotonic() + DEADLINE_S
        while not self.is_over.is_set() and time.monotonic() < deadline and not holds():
            self.is_over.wait(0.1)
        self.is_over.set()
        for thread in self.threads:
            thread.join()
        assert self.errors == []
        assert holds()


def save(store: Store, dag: SerializedDag) -> None:
    now = store.clock.now()
    parsed = [ParsedDag(dag.dag_id, encode(dag))]
    store.files.save(
        ParsedFile(f"{dag.dag_id}.py", f"/{dag.dag_id}.py", "0", now, 0.0, parsed), now
    )


def runner(store: Store, name: str):
    """Return one turn of a runner whose tasks take no time."""
    store.workers.register(
        WorkerIdentity(name, "host", "boot", 1, 1.0, LOCAL, slots=4), store.clock.now()
    )
    request = ClaimRequest(name, LOCAL, limit=4)
    held: list[AttemptResult] = []

    def turn() -> None:
        now = store.clock.now()
        claims = (
            store.attempts.finish(held, now, request).claims
            if held
            else store.attempts.claim(request, now)
        )
        held[:] = [
            AttemptResult(one.task_instance_id, one.epoch, one.claim_id, "success", ended_at=now)
            for one in claims
        ]

    return turn


def watch(store: Store, statement, seen: Counter):
    def look() -> None:
        with store.database.read() as connection:
            seen[connection.execute(statement).scalar_one()] += 1

    return look


def scheduler(store: Store):
    actor = make_scheduler(store, WallClock(), {LOCAL: FakeExecutor()})

    def turn() -> None:
        actor.tick()
        time.sleep(0.01)

    return turn


def test_schedulers_and_runners_at_once_start_each_task_once_and_keep_to_the_pool(open_one, caplog):
    store = open_one()
    store.pools.set("small", POOL_SLOTS, now=store.clock.now(), actor="user:test")
    for number in range(3):
        upstream = [SerializedTask(f"a{i}", "PythonOperator", pool="small") for i in range(6)]
        join = SerializedTask(
            "join", "PythonOperator", upstream_task_ids=[one.task_id for one in upstream]
        )
        save(
            store,
            SerializedDag(
                f"d{number}",
                "3",
                SerializedTimetable("null"),
                is_paused_upon_creation=False,
                tasks=[*upstream, join],
            ),
        )
        for run in range(3):
            now = store.clock.now()
            store.runs.create(NewRun(f"d{number}", f"r{run}", "manual", run_after=now), now)
    occupied: Counter[int] = Counter()
    crowd = Crowd()
    for _ in range(SCHEDULERS):
        crowd.add(scheduler(open_one()))
    for number in range(RUNNERS):
        crowd.add(runner(open_one(), f"runner-{number}"))
    crowd.add(watch(open_one(), _OCCUPIED, occupied))

    crowd.work_until(lambda: store.runs.count(states=["success"]) == 9)

    assert 0 < max(occupied) <= POOL_SLOTS
    with store.database.read() as connection:
        attempts = connection.execute(text("SELECT count(*) FROM attempt")).scalar_one()
        tries = connection.execute(text("SELECT DISTINCT try_number FROM attempt")).all()
    assert (attempts, tries) == (9 * 7, [(1,)])
    assert "deadlock" not in caplog.text


def test_each_slot_makes_one_run_and_no_more_runs_are_active_than_allowed(open_one):
    store = open_one()
    timetable = serialize_timetable(create_timetable("@hourly", timezone="UTC", dialect="2"))
    save(
        store,
        SerializedDag(
            "hourly",
            "2",
            timetable,
            is_paused_upon_creation=False,
            catchup=True,
            start_at=datetime(2026, 1, 1, tzinfo=UTC),
            end_at=datetime(2026, 1, 1, 11, tzinfo=UTC),
            max_active_runs=2,
            tasks=[SerializedTask("a", "PythonOperator")],
        ),
    )
    active: Counter[int] = Counter()
    crowd = Crowd()
    for _ in range(SCHEDULERS):
        crowd.add(scheduler(open_one()))
    crowd.add(runner(open_one(), "runner"))
    crowd.add(watch(open_one(), _ACTIVE_RUNS, active))

    crowd.work_until(lambda: store.runs.count("hourly", states=["success"]) >= 12)

    runs = store.runs.list("hourly", limit=100, order="logical_date")
    assert [run.logical_date.hour for run in runs] == list(range(12))
    assert max(active) <= 2
