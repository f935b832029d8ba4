"""A store in memory with one DAG, a virtual clock, and the verbs over both."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tradewind.control.services import Services
from tradewind.database.settings import StoreSettings
from tradewind.database.store import Store
from tradewind.database.values import ParsedDag, ParsedFile
from tradewind.sdk.clock import VirtualClock
from tradewind.sdk.serialized import (
    SerializedDag,
    SerializedTask,
    encode,
)
from tradewind.sdk.timetables.interval import CronDataIntervalTimetable
from tradewind.sdk.timetables.registry import serialize_timetable

NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)
DAILY = serialize_timetable(CronDataIntervalTimetable("0 0 * * *"))


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(NOW)


@pytest.fixture
def services(clock):
    settings = StoreSettings(url="", fernet_key="Y3dxNlBtR0VTdmJFV1hHaUhDd3lQbVl4YTl3bHpYZEM=")
    store = Store.in_memory(settings, clock)
    yield Services(store, clock, "user:ada")
    store.close()


@pytest.fixture
def add_dag(services, clock):
    """Store a DAG as if its file had been parsed; ``b`` runs after ``a``."""

    def add(dag_id: str = "sales", **fields: object) -> SerializedDag:
        dag = SerializedDag(
            dag_id=dag_id,
            **{
                "dialect": "2",
                "timetable": DAILY,
                "fileloc": f"/dags/{dag_id}.py",
                "relative_fileloc": f"{dag_id}.py",
                "start_at": datetime(2024, 5, 1, tzinfo=UTC),
                "tasks": [
                    SerializedTask(task_id="a", task_type="PythonOperator"),
                    SerializedTask(
                        task_id="b", task_type="PythonOperator", upstream_task_ids=["a"]
                    ),
                ],
                **fields,
            },
        )
        parsed = ParsedFile(
            relative_path=dag.relative_fileloc,
            path=dag.fileloc,
            content_hash=dag_id,
            parsed_at=clock.now(),
            duration_s=0.1,
            dags=[ParsedDag(dag_id, encode(dag))],
        )
        services.store.files.save(parsed, clock.now())
        return dag

    return add
