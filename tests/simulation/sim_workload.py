"""Random DAGs of plain data: small, and full of what can go wrong."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from tradewind.database.values import ParsedDag, ParsedFile
from tradewind.sdk.serialized import SerializedDag, SerializedTask, encode
from tradewind.sdk.timetables.asset_driven import AssetTriggeredTimetable
from tradewind.sdk.timetables.create import create_timetable
from tradewind.sdk.timetables.registry import serialize_timetable

POOL = "narrow"
POOL_SLOTS = 3
CONSUMER, PRODUCER = "consumer", "t0"
RULES = ("all_success", "all_success", "all_success", "all_done", "one_failed", "none_failed")


def make_dag(chance: random.Random, dag_id: str, now: datetime) -> SerializedDag:
    """Return a DAG of three to six tasks that runs every minute."""
    tasks = []
    for number in range(chance.randint(3, 6)):
        earlier = [task.task_id for task in tasks]
        upstream = sorted(chance.sample(earlier, min(len(earlier), chance.randint(0, 2))))
        tasks.append(
            SerializedTask(
                f"t{number}",
                "PythonOperator",
                upstream_task_ids=upstream,
                trigger_rule=chance.choice(RULES) if upstream else "all_success",
                retries=chance.randint(0, 2),
                retry_delay_s=chance.choice([0.0, 2.0, 15.0]),
                pool=chance.choice(["default_pool", POOL]),
                pool_slots=chance.randint(1, 2),
                max_active_tis_per_dag=chance.choice([None, None, 1]),
                effective_priority_weight=chance.randint(1, 3),
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
