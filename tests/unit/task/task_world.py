"""One dag run in memory whose tasks are executed one by one, as a task process would."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

from tradewind.runtime.task.execute import execute_task
from tradewind.runtime.task.memory_runtime import MemoryRuntime
from tradewind.runtime.task.task_spec import TaskInstanceSpec
from tradewind.sdk.dag import DAG

RUN_ID = "manual__2024-03-05T10:30:15+00:00"
LOGICAL_DATE = datetime(2024, 3, 5, 10, 30, 15, tzinfo=UTC)


class RecordingRuntime(MemoryRuntime):
    """A runtime in memory that remembers the order of what it was told."""

    __slots__ = ("masked", "told")

    def executing(self):
        self.told.append("executing")

    def mask(self, values):
        self.masked.extend(values)

    def delete_xcoms(self, **names):
        self.told.append("delete_xcoms")
        super().delete_xcoms(**names)


class TaskWorld:
    """A DAG to declare tasks in, a run of it, and what its tasks have pushed."""

    def __init__(self, **dag_arguments):
        self.dag_run = {
            "dag_id": "d",
            "run_id": RUN_ID,
            "run_type": "manual",
            "state": "running",
            "logical_date": LOGICAL_DATE,
            "data_interval_start": LOGICAL_DATE,
            "data_interval_end": LOGICAL_DATE,
            "run_after": LOGICAL_DATE,
            "external_trigger": True,
            "conf": {},
        }
        self.dag = DAG(
            "d",
            **{"schedule": None, "start_date": datetime(2024, 1, 1, tzinfo=UTC), **dag_arguments},
        )
        self.runtime = RecordingRuntime(dag_run=self.dag_run, list_states=lambda: [])
        self.runtime.told, self.runtime.masked = [], []

    def run(self, task_id, map_index=-1, **spec):
        """Execute one try, store what it pushed, and return its result."""
        result = execute_task(
            dag=self.dag,
            task=self.dag.get_task(task_id),
            spec=TaskInstanceSpec(
                "d", RUN_ID, task_id, map_index=map_index, dag_run=self.dag_run, **spec
            ),
            runtime=self.runtime,
            log=logging.getLogger("tests.task"),
        )
        for xcom in result.xcoms:
            self.runtime.set_xcom(
                dag_id="d",
                run_id=RUN_ID,
                task_id=task_id,
                map_index=map_index,
                key=xcom.key,
                value=xcom.value,
                length=xcom.length,
            )
        return result

    def xcoms(self, task_id, map_index=-1):
        """Return what a task has pushed: key → stored JSON, read as plain data."""
        return {
            one.key: json.loads(one.value)
            for one in self.runtime.pushed_by(task_id)
            if one.map_index == map_index
        }
