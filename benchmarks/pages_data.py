"""Rows for ``pages.py``: DAGs, runs and task instances, inserted in bulk as if they had run."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import insert
from tradewind.database.tables import attempt, dag_run, task_instance
from tradewind.database.values import ParsedDag, ParsedFile
from tradewind.sdk.serialized import (
    SerializedDag,
    SerializedGroup,
    SerializedTask,
    encode,
)
from tradewind.sdk.timetables.interval import CronDataIntervalTimetable
from tradewind.sdk.timetables.registry import serialize_timetable

DAILY = serialize_timetable(CronDataIntervalTimetable("0 0 * * *"))
LIST_DAGS = 1000
LOG_BYTES = 1_000_000_000
CHUNK = 20_000


def fill(store: Any, home: Path, now: datetime, history: int) -> dict[str, str]:
    """Insert everything; return page → path."""
    store.users.create(
        username="ada", password="ada-password", roles=["Admin"], email="", first_name="",
        last_name="", now=now, actor="user:bench",
    )  # fmt: skip
    writer = _Writer(store, now)
    for n in range(LIST_DAGS):
        writer.add_dag(f"list_{n:04}", [SerializedTask("only", "BashOperator")])
        if n < 60:
            writer.add_runs(f"list_{n:04}", 14, ["only"])
    writer.add_dag("grid_small", _layers(62))
    writer.add_runs("grid_small", 30, [f"t{n}" for n in range(62)])
    writer.add_dag("grid_large", _layers(200))
    writer.add_runs("grid_large", 365, [f"t{n}" for n in range(200)])
    writer.add_dag("flat", _layers(1000))
    flat = writer.add_runs("flat", 1, [f"t{n}" for n in range(1000)])
    groups = [SerializedGroup(f"g{n}", f"g{n}") for n in range(20)]
    writer.add_dag("grouped", _layers(1000, 20), groups)
    writer.add_runs("grouped", 1, [f"g{n // 50}.t{n}" for n in range(1000)])
    writer.add_dag("fan", _fan(998))
    writer.add_runs("fan", 1, ["start", *(f"w{n}" for n in range(998)), "end"])
    mapped = SerializedTask("m", "PythonOperator")
    writer.add_dag("mapped", [mapped])
    many = writer.add_runs("mapped", 1, ["m"], instances=10_000)
    log = _write_log(home / "logs" / "large.log")
    writer.add_dag("logged", [SerializedTask("talk", "BashOperator")])
    logged = writer.add_runs("logged", 1, ["talk"], log_path=str(log))
    if history:
        writer.add_dag("history", _layers(100))
        writer.add_runs("history", history // 100, [f"t{n}" for n in range(100)])
    run = f"/dags/flat/runs/{quote(flat, safe='')}"
    return {
        "list, 50 of 1,000 DAGs": "/dags",
        "home": "/",
        "grid, 62 tasks x 30 runs": "/dags/grid_small",
        "grid, 200 tasks x 365 runs": "/dags/grid_large?runs=365",
        "graph, 1,000 tasks flat": f"{run}/graph",
        "graph, 1,000 tasks in 20 groups": "/dags/grouped/graph",
        "graph, fan of 998": "/dags/fan/graph",
        "Gantt, 1,000 task instances": f"{run}/gantt",
        "run, 1,000 task instances": run,
        "mapped task, 10,000 instances": f"/dags/mapped/runs/{quote(many, safe='')}/tasks/m",
        "log of 1 GB, at its tail": f"/dags/logged/runs/{quote(logged, safe='')}/tasks/talk",
        "runs of all DAGs": "/runs",
        "task instances of all DAGs": "/task_instances",
        "timeline, 12 h": "/timeline",
        "forecast, 24 h": "/forecast",
        "durations, 90 runs": "/dags/grid_large/durations",
        "calendar": f"/dags/grid_large/calendar?year={now.year - 1}",
    }


def _layers(count: int, groups: int = 0) -> list[SerializedTask]:
    """Return tasks in layers, each after one or two of the tasks shortly before it."""
    source = random.Random(7)
    names = [f"g{n // (count // groups)}.t{n}" if groups else f"t{n}" for n in range(count)]
    return [
        SerializedTask(
            task_id=name,
            task_type="BashOperator",
            label=f"t{n}",
            group_id=f"g{n // (count // groups)}" if groups else "",
            upstream_task_ids=sorted(
                {names[max(0, n - source.randint(1, 25))] for _ in range(n % 3)}
            ),
        )
        for n, name in enumerate(names)
    ]


def _fan(width: int) -> list[SerializedTask]:
    middle = [
        SerializedTask(f"w{n}", "BashOperator", upstream_task_ids=["start"]) for n in range(width)
    ]
    last = SerializedTask("end", "BashOperator", upstream_task_ids=[one.task_id for one in middle])
    return [SerializedTask("start", "BashOperator"), *middle, last]


def _write_log(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    line = (
        b"[2026-01-01T00:00:00.000+0000] {bash.py:1} INFO - a line of the log as tasks write it\n"
    )
    block = line * 10_000
    with path.open("wb") as stream:
        for _ in range(LOG_BYTES // len(block) + 1):
            stream.write(block)
    return path


class _Writer:
    """Inserts runs that have succeeded, one a day back from now."""

    def __init__(self, store: Any, now: datetime) -> None:
        self.store, self.now = store, now
        self.run_number = self.instance_number = 0
        self.versions: dict[str, int] = {}

    def add_dag(
        self, dag_id: str, tasks: list[SerializedTask], groups: list[SerializedGroup] | None = None
    ) -> None:
        dag = SerializedDag(
            dag_id=dag_id,
            dialect="3",
            timetable=DAILY,
            relative_fileloc=f"{dag_id}.py",
            fileloc=f"/dags/{dag_id}.py",
            start_at=self.now - timedelta(days=365),
            tasks=tasks,
            groups=groups or [],
            tags=["bench"],
        )
        parsed = ParsedFile(
            relative_path=f"{dag_id}.py", path=f"/dags/{dag_id}.py", content_hash=dag_id,
            parsed_at=self.now, duration_s=0.1, dags=[ParsedDag(dag_id, encode(dag))], source="x",
        )  # fmt: skip
        self.store.files.save(parsed, self.now)
        self.versions[dag_id] = self.store.dags.get(dag_id).version_id

    def add_runs(
        self, dag_id: str, runs: int, task_ids: list[str], instances: int = 0, log_path: str = ""
    ) -> str:
        """Insert runs with all their task instances; return the id of the newest run."""
        run_rows, instance_rows, attempt_rows = [], [], []
        run_id = ""
        for n in range(runs):
            at = self.now - timedelta(hours=24 * (runs - n) if runs < 2000 else (runs - n))
            self.run_number += 1
            run_id = f"scheduled__{at.isoformat()}"
            end = at + timedelta(minutes=10)
            run_rows.append(
                {
                    "id": self.run_number, "dag_id": dag_id, "run_id": run_id,
                    "run_type": "scheduled",
                    "state": "success", "logical_date": at, "data_interval_start": at,
                    "data_interval_end": at, "run_after": at, "created_at": at, "queued_at": at,
                    "started_at": at, "ended_at": end, "version_id": self.versions[dag_id],
                }
            )  # fmt: skip
            places = [(one, -1) for one in task_ids]
            if instances:
                places = [(task_ids[0], index) for index in range(instances)]
            for m, (task_id, map_index) in enumerate(places):
                self.instance_number += 1
                start = at + timedelta(seconds=m % 500)
                instance_rows.append(
                    {
                        "id": self.instance_number, "dag_run_id": self.run_number,
                        "task_id": task_id,
                        "map_index": map_index, "state": "success", "try_number": 1, "epoch": 1,
                        "scheduled_at": at, "queued_at": at, "started_at": start,
                        "ended_at": start + timedelta(seconds=30), "operator_name": "BashOperator",
                        "version_id": self.versions[dag_id], "hostname": "bench",
                    }
                )  # fmt: skip
                attempt_rows.append(
                    {
                        "task_instance_id": self.instance_number, "epoch": 1, "claim_id": "c",
                        "try_number": 1, "state": "success", "version_id": self.versions[dag_id],
                        "claimed_at": start, "started_at": start,
                        "ended_at": start + timedelta(seconds=30), "hostname": "bench",
                        "log_path": log_path or None,
                    }
                )  # fmt: skip
            if len(instance_rows) >= CHUNK:
                self._insert(run_rows, instance_rows, attempt_rows)
                run_rows, instance_rows, attempt_rows = [], [], []
        self._insert(run_rows, instance_rows, attempt_rows)
        return run_id

    def _insert(self, *groups: list[dict[str, Any]]) -> None:
        with self.store.database.write() as connection:
            for table, rows in zip((dag_run, task_instance, attempt), groups, strict=True):
                for some in _chunks(rows):
                    connection.execute(insert(table), some)


def _chunks(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    iterator = iter(rows)
    while some := list(islice(iterator, 2000)):
        yield some
