"""Random DAGs of plain data: small, and full of what can go wrong."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from msgspec.structs import replace
from tradewind.database.values import ParsedDag, ParsedFile
from tradewind.sdk.serialized import SerializedDag, SerializedTask, encode
from tradewind.sdk.timetables.asset_driven import AssetTriggeredTimetable
from tradewind.sdk.timetables.create import create_timetable
from tradewind.sdk.timetables.registry import serialize_timetable

POOL = "narrow"
POOL_SLOTS = 3
CONSUMER, PRODUCER = "consumer", "t0"
RULES = (
    *("all_success",) * 6,
    *("all_done", "one_failed", "one_success", "none_failed", "all_failed", "none_skipped"),
    "none_failed_min_one_success",
)
#: A DAG in a zone whose clocks are changed just then, every half hour, three hours back.
ZONED, ZONED_MINUTES = "zoned", 30
ZONES = {  # in UTC
    "Europe/Berlin": ("2026-03-29T02:40", "2026-10-25T02:40"),
    "America/New_York": ("2026-03-08T08:40", "2026-11-01T07:40"),
    "Australia/Lord_Howe": ("2026-04-04T16:40", "2026-10-03T17:10"),
}
#: Tasks of this class wait for a trigger first.
DEFERRING = "WaitOperator"


def make_dag(chance: random.Random, dag_id: str, now: datetime) -> SerializedDag:
    """Return a DAG of three to six tasks that runs every minute."""
    tasks = []
    has_past = chance.random() < 0.2
    for number in range(chance.randint(3, 6)):
        earlier = [task.task_id for task in tasks]
        upstream = sorted(chance.sample(earlier, min(len(earlier), chance.randint(0, 2))))
        tasks.append(
            SerializedTask(
                f"t{number}",
                chance.choice(["PythonOperator"] * 4 + [DEFERRING]),
                upstream_task_ids=upstream,
                trigger_rule=chance.choice(RULES) if upstream else "all_success",
                retries=chance.randint(0, 2),
                retry_delay_s=chance.choice([0.0, 2.0, 15.0]),
                pool=chance.choice(["default_pool", POOL]),
                pool_slots=chance.randint(1, 2),
                max_active_tis_per_dag=chance.choice([None, None, 1]),
                effective_priority_weight=chance.randint(1, 3),
                depends_on_past=has_past and chance.random() < 0.3,
            )
        )
    timetable = create_timetable("* * * * *", timezone="UTC", dialect="3")
    return SerializedDag(
        dag_id,
        "3",
        serialize_timetable(timetable),
        start_at=now - timedelta(minutes=2),
        catchup=chance.random() < 0.7,
        max_active_runs=chance.randint(1, 3),
        max_active_tasks=chance.randint(2, 4),
        is_paused_upon_creation=False,
        tasks=tasks,
    )


def make_zoned(zone: str, now: datetime) -> SerializedDag:
    """Return a DAG with data intervals in a zone, the clocks of which are often just changed."""
    schedule = f"*/{ZONED_MINUTES} * * * *"
    timetable = create_timetable(schedule, timezone=ZoneInfo(zone), dialect="2")
    return SerializedDag(
        ZONED,
        "2",
        serialize_timetable(timetable),
        timezone=zone,
        start_at=now - timedelta(hours=3),
        catchup=True,
        max_active_runs=3,
        is_paused_upon_creation=False,
        tasks=[SerializedTask("t0", "PythonOperator", retries=2, retry_delay_s=2.0)],
    )


def changed(dag: SerializedDag, chance: random.Random) -> SerializedDag:
    """Return what somebody made of a DAG's file: another task, or another rule."""
    tasks = list(dag.tasks)
    if len(tasks) < 8 and chance.random() < 0.6:
        upstream = [chance.choice(tasks).task_id]
        tasks.append(SerializedTask(f"t{len(tasks)}", "PythonOperator", upstream_task_ids=upstream))
    else:
        place = chance.randrange(len(tasks))
        if tasks[place].upstream_task_ids:
            tasks[place] = replace(tasks[place], trigger_rule=chance.choice(RULES))
    return replace(dag, tasks=tasks)


def make_consumer(dag_ids: Sequence[str]) -> SerializedDag:
    """Return a DAG that runs when each of these DAGs has made its asset."""
    waited_for = [{"asset": {"name": dag_id, "uri": dag_id}} for dag_id in dag_ids]
    return SerializedDag(
        CONSUMER,
        "2",  # its run ids have no random part: a seed must replay
        serialize_timetable(AssetTriggeredTimetable()),
        asset_expression={"all": waited_for},
        max_active_runs=2,
        is_paused_upon_creation=False,
        tasks=[SerializedTask("t0", "PythonOperator", retries=1, retry_delay_s=2.0)],
    )


def events_of(dag_id: str, task_id: str) -> list[dict[str, Any]]:
    """Return the asset events that a task makes when it succeeds: the first of each DAG one."""
    is_producer = dag_id != CONSUMER and task_id == PRODUCER
    return [{"name": dag_id, "uri": dag_id, "extra": {}}] if is_producer else []


def broken_file(dag_id: str, now: datetime) -> ParsedFile:
    """Return what parsing gives when the file does not load any more."""
    return ParsedFile(
        relative_path=f"{dag_id}.py",
        path=f"/dags/{dag_id}.py",
        content_hash="broken",
        parsed_at=now,
        duration_s=0.0,
        dags=[],
        error="SyntaxError: simulated",
        source="",
    )


def parsed_file(dag: SerializedDag, now: datetime) -> ParsedFile:
    """Return what parsing the DAG's file would give."""
    return ParsedFile(
        relative_path=f"{dag.dag_id}.py",
        path=f"/dags/{dag.dag_id}.py",
        content_hash="0",
        parsed_at=now,
        duration_s=0.0,
        dags=[ParsedDag(dag.dag_id, encode(dag))],
        source="",
    )
