"""``tasks test`` and ``tasks render``: one task in this process, whatever it depends on.

Nothing is recorded. A run that is stored lends its date, its conf and its XComs; without one the
task gets a run of its own in memory. See ``docs/cli.md``, section 3.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ..planning.plan_runs import PlannedRun, manual_run
from ..planning.structure import DagStructure
from ..sdk import task_runtime
from ..sdk.clock import Clock, WallClock
from ..sdk.errors import TradewindError
from .memory_run import MemoryDagRun, MemoryTaskInstance
from .task.execute import execute_task, render_task
from .task.run_trigger import how_it_goes_on, run_inline
from .task.task_spec import TaskInstanceSpec, TaskResult

if TYPE_CHECKING:
    from ..sdk.dag import DAG
    from .task.memory_runtime import MemoryXCom

log = logging.getLogger("tradewind.task")
RUN_ID_PREFIX = "__airflow_temporary_run_"


class NoSuchInstance(TradewindError):
    """The task has no instance with this map index in this run."""


class NotRendered(TradewindError):
    """A template of the task cannot be rendered."""


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """A stored run, as far as a task of it can see."""

    planned: PlannedRun
    conf: Mapping[str, Any] = field(default_factory=dict)
    xcoms: Sequence[MemoryXCom] = ()


class OneTask:
    """One instance of one task, ready to be run or rendered."""

    def __init__(
        self,
        dag: DAG,
        task_id: str,
        *,
        map_index: int = -1,
        logical_date: datetime | None = None,
        recorded: RecordedRun | None = None,
        params: Mapping[str, Any] | None = None,
        find_variable: Callable[[str], str | None] | None = None,
        find_connection: Callable[[str], Mapping[str, Any] | None] | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Make the run in memory.

        Args:
            logical_date: of the run where none is recorded; None: now.
            params: replace params of the task.

        Raises:
            NoSuchInstance: the map index does not fit the task.
        """
        self._dag = dag
        task: Any = dag.get_task(task_id)
        self._task = task
        if params:
            task.params.update(params)
        self._run = _make_run(dag, clock or WallClock(), logical_date, recorded)
        runtime = self._run.runtime
        runtime.find_variable, runtime.find_connection = find_variable, find_connection
        self._instance = _find_instance(self._run, task_id, map_index)

    def execute(self, *, is_debugged: bool = False) -> TaskResult:
        """Run the task; a failure is told by the result.

        Args:
            is_debugged: start the debugger where the task raises.
        """
        before = task_runtime.current
        task_runtime.current = self._run.runtime
        try:
            if is_debugged:
                _debug_failures(self._task)
            return self._execute(self._spec())
        finally:
            task_runtime.current = before

    def _execute(self, spec: TaskInstanceSpec) -> TaskResult:
        """Execute it; where it defers itself, its triggers run here and it goes on."""
        while True:
            result = execute_task(
                dag=self._dag, task=self._task, spec=spec, runtime=self._run.runtime, log=log
            )
            if result.outcome != "deferred":
                return result
            wanted = result.trigger or {}
            log.info("It waits for the trigger %s", wanted.get("class_path"))
            report = run_inline(wanted)
            if report.state:
                return TaskResult(report.state, reason="ended by its trigger")
            method, kwargs = how_it_goes_on(wanted, report)
            spec = msgspec.structs.replace(spec, next_method=method, next_kwargs=kwargs)

    def render(self) -> dict[str, Any]:
        """Return the template fields as the task would get them.

        Raises:
            TradewindError: a template cannot be rendered; the text says which mistake it has.
        """
        before = task_runtime.current
        task_runtime.current = self._run.runtime
        try:
            return render_task(
                dag=self._dag,
                task=self._task,
                spec=self._spec(),
                runtime=self._run.runtime,
                log=log,
            )
        except Exception as error:
            first_line = next(iter(str(error).splitlines()), "")
            raise NotRendered(
                f"Task {self._instance.task_id!r} cannot be rendered: "
                f"{type(error).__name__}: {first_line}"
            ) from error
        finally:
            task_runtime.current = before

    def _spec(self) -> TaskInstanceSpec:
        one, run = self._instance, self._run
        task = run.structure.tasks[one.task_id]
        return TaskInstanceSpec(
            dag_id=one.dag_id,
            run_id=one.run_id,
            task_id=one.task_id,
            map_index=one.map_index,
            try_number=1,
            tries_max=one.max_tries,
            fileloc=self._dag.fileloc,
            relative_fileloc=run.structure.dag.relative_fileloc,
            dag_run=run.as_columns(),
            mapped_lengths=run.mapped_lengths(one.task_id) if one.map_index >= 0 else [],
            upstream_counts=run.upstream_counts(),
            queue=task.queue,
            pool=task.pool,
            pool_slots=task.pool_slots,
            priority_weight=task.effective_priority_weight,
            is_test=True,
        )


def _make_run(
    dag: DAG, clock: Clock, logical_date: datetime | None, recorded: RecordedRun | None
) -> MemoryDagRun:
    from ..sdk.serialize_dag import serialize

    now = clock.now()
    serialized = serialize(dag, relative_fileloc=Path(dag.fileloc).name)
    if recorded is not None:
        planned = recorded.planned
    else:
        when = logical_date or now
        planned = manual_run(
            serialized,
            dag.timetable,
            now,
            logical_date=when,
            run_id=f"{RUN_ID_PREFIX}{when.isoformat()}__",
        )
    run = MemoryDagRun(
        DagStructure.from_serialized(serialized),
        planned,
        conf=dict(recorded.conf) if recorded is not None else {},
        queued_at=now,
        start_date=now,
    )
    for xcom in recorded.xcoms if recorded is not None else ():
        run.runtime.set_xcom(
            dag_id=dag.dag_id,
            run_id=planned.run_id,
            task_id=xcom.task_id,
            map_index=xcom.map_index,
            key=xcom.key,
            value=xcom.value,
            length=xcom.length,
        )
    return run


def _find_instance(run: MemoryDagRun, task_id: str, map_index: int) -> MemoryTaskInstance:
    is_mapped = run.structure.is_mapped(task_id)
    if is_mapped != (map_index >= 0):
        text = "is mapped: say which with --map-index" if is_mapped else "is not mapped"
        raise NoSuchInstance(f"Task {task_id!r} {text}.")
    found = run.get_task_instance(task_id, map_index=map_index)
    if found is not None:
        return found
    lengths = run.mapped_lengths(task_id) if is_mapped else []
    if lengths and map_index >= math.prod(lengths):
        raise NoSuchInstance(
            f"Task {task_id!r} has {math.prod(lengths)} instance(s): --map-index is counted from 0."
        )
    # Its length is known only when tasks above it have run, or the run leaves it out by date.
    return MemoryTaskInstance(
        len(run.task_instances),
        run,
        task_id,
        map_index,
        max_tries=run.structure.tasks[task_id].retries,
    )


def _debug_failures(task: Any) -> None:
    """Let the debugger start where the task's execute raises."""
    import pdb

    execute = task.execute

    def execute_and_debug(context: Any) -> Any:
        try:
            return execute(context)
        except Exception as error:
            pdb.post_mortem(error.__traceback__)
            raise

    task.execute = execute_and_debug
