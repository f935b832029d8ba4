"""Running one task that does nothing, before anything is forked.

What a first task does that no later one has to (late imports, first looks at the configuration,
compiled expressions, caches) would be paid again by every forked task process: 20 CPU ms. Done
once in the zygote, it is memory that all share.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ...sdk.base_operator import BaseOperator
from ...sdk.dag import DAG
from . import protocol
from .execute import execute_task
from .task_output import DEFAULT_FORMAT, TaskFormatter
from .task_spec import TaskInstanceSpec, TaskResult

_NAME = "rehearsal"


class _Rehearsed(BaseOperator):
    """Renders a template, and returns it as its result."""

    template_fields: Sequence[str] = ("text",)

    def __init__(self, *, text: str, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.text = text

    def execute(self, context: Mapping[str, Any]) -> str:
        """Return what was rendered."""
        return self.text


class _Unheard(logging.Handler):
    """Formats like the handler of a task's log, and writes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(TaskFormatter(DEFAULT_FORMAT))

    def emit(self, record: logging.LogRecord) -> None:
        """Do all but the writing."""
        self.format(record).encode()


class _NobodyThere:
    """A ``TaskRuntime`` that hears nothing and has nothing."""

    def __getattr__(self, name: str) -> Any:
        return lambda *values, **named: None


@functools.cache
def _stage() -> tuple[DAG, BaseOperator, TaskInstanceSpec, logging.Logger]:
    log = logging.Logger(_NAME)  # its own, outside of the tree: nobody sees what it says
    log.addHandler(_Unheard())
    now = datetime(2026, 1, 1, tzinfo=UTC)
    dag = DAG(_NAME, schedule=None, start_date=now)
    task = _Rehearsed(task_id=_NAME, dag=dag, text="{{ ds }} {{ ti.task_id }} {{ params }}")
    spec = TaskInstanceSpec(
        dag_id=_NAME,
        run_id=f"manual__{now.isoformat()}",
        task_id=_NAME,
        dag_run={
            "run_type": "manual",
            "state": "running",
            "logical_date": now,
            "data_interval_start": now,
            "data_interval_end": now,
            "run_after": now,
        },
    )
    return dag, task, spec, log


def rehearse() -> TaskResult:
    """Run a task in this process, and return its result. Nothing of it remains but caches."""
    dag, task, spec, log = _stage()
    runtime: Any = _NobodyThere()
    result = execute_task(dag=dag, task=task, spec=spec, runtime=runtime, log=log)
    log.info("Done. Returned value was: %s", result.outcome)
    protocol.encode(protocol.Result(result=result))
    return result
