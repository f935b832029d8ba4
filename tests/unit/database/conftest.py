"""A store on a real SQLite file and on a real PostgreSQL, and hand-built DAGs for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
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
from tradewind.sdk.serialized import SerializedDag, SerializedTask, SerializedTimetable, encode

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
KEY = "bWluZSBvd24ga2V5IGZvciB0ZXN0cyBvbmx5ISEhISE="


class House:
    """A store with short words for what tests do again and again."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.now = NOW
        self.worker_id = "worker-1"

    def pass_time(self, **length: float) -> None:
        self.now += timedelta(**length)

    def add(self, *tasks: SerializedTask, dag_id: str = "d", path: str = "", **fields) -> None:
        fields.setdefault("is_paused_upon_creation", False)
        dag = SerializedDag(
            dag_id=dag_id,
            dialect="3",
            timetable=SerializedTimetable("null"),
            relative_fileloc=path or f"{dag_id}.py",
            tasks=list(tasks),
            **fields,
        )
        self.save(path or f"{dag_id}.py", dag)

    def save(self, path: str, *dags: SerializedDag, error: str | None = None, source="# source"):
        return self.store.files.save(
            ParsedFile(
                relative_path=path,
                path=f"/dags/{path}",
                content_hash=f"hash of {path}",
                parsed_at=self.now,
                duration_s=0.1,
                dags=[ParsedDag(dag.dag_id, encode(dag)) for dag in dags],
                error=error,
                source=source,
            ),
            self.now,
        )

    def run(self, run_id: str = "r", dag_id: str = "d", *, start: bool = True, **fields) -> int:
        fields.setdefault("run_type", "manual")
        fields.setdefault("run_after", self.now)
        number = self.store.runs.create(NewRun(dag_id, run_id, **fields), self.now)
        if start:
            self.store.runs.start_queued(self.now)
        return number

    def register(self, worker_id: str = "worker-1", slots: int = 32) -> None:
        self.store.workers.register(
            WorkerIdentity(worker_id, "host", "boot", 1, 1.0, "LocalExecutor", slots=slots),
            self.now,
        )

    def request(self, limit: int = 32) -> ClaimRequest:
        return ClaimRequest(self.worker_id, "LocalExecutor", limit)

    def claim(self, limit: int = 32):
        return self.store.attempts.claim(self.request(limit), self.now)

    def finish(self, claim, outcome: str = "success", *, limit: int = 0, **fields):
        fields.setdefault("ended_at", self.now)
        result = AttemptResult(
            claim.task_instance_id, claim.epoch, claim.claim_id, outcome, **fields
        )
        return self.store.attempts.finish([result], self.now, self.request(limit))

    def states(self, run_id: str = "r", dag_id: str = "d") -> dict[str, str]:
        return {
            row.task_id if row.map_index < 0 else f"{row.task_id}[{row.map_index}]": str(row.state)
            for row in self.store.task_instances.list(dag_id, run_id)
        }

    def one(self, task_id: str, run_id: str = "r", dag_id: str = "d", map_index: int = -1):
        return self.store.task_instances.get(dag_id, run_id, task_id, map_index)

    def run_state(self, run_id: str = "r", dag_id: str = "d") -> str:
        return self.store.runs.get(dag_id, run_id).state


def task(task_id: str, *upstream: str, **fields) -> SerializedTask:
    return SerializedTask(task_id, "PythonOperator", upstream_task_ids=list(upstream), **fields)


@pytest.fixture
def settings(database_url) -> StoreSettings:
    return StoreSettings(url=database_url, fernet_key=KEY)


@pytest.fixture
def store(settings):
    migrate(settings)
    opened = Store(settings)
    yield opened
    opened.close()


@pytest.fixture
def house(store) -> House:
    made = House(store)
    made.register()
    return made


@pytest.fixture(name="task")
def task_maker():
    return task


@pytest.fixture
def make_house() -> type[House]:
    """For a store of the test's own."""
    return House
