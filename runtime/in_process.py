"""``dag.test()`` and ``dags test``: run one DAG in this process, in memory.

The same ``decide`` as the scheduler's says what becomes of each task instance; only limits (pools,
``max_active_tasks``) do not apply. In every round all that is scheduled runs, one after the other.
Source: ``spec/semantics.md`` section 10.1.
"""

from __future__ import annotations

import copy
import logging
import re
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..planning.plan_runs import PlannedRun, manual_run
from ..planning.structure import DagStructure
from ..planning.verdicts import judge_result
from ..sdk import secrets_lookup, task_runtime
from ..sdk.clock import Clock, WallClock
from ..sdk.configuration import conf
from ..sdk.not_set import NOTSET, is_arg_set
from ..sdk.plugins import load_plugins
from ..sdk.serialized import SerializedDag
from ..sdk.states import FINISHED, DagRunState, TaskInstanceState
from .main_program import exit_with_failure, is_main_program, print_line, show_logs
from .memory_run import MemoryDagRun, MemoryTaskInstance
from .task.dag_callbacks import call_dag_callbacks
from .task.execute import execute_task
from .task.run_trigger import how_it_goes_on, run_inline
from .task.secrets_files import FileSecrets
from .task.surroundings import task_surroundings
from .task.task_spec import TaskInstanceSpec, TaskResult

if TYPE_CHECKING:
    from ..sdk.dag import DAG

#: What shells make of a Ctrl-C.
EXIT_INTERRUPTED = 130
log = logging.getLogger("tradewind.task")

_S = TaskInstanceState

#: Longest sleep at a time: a Ctrl-C is felt at once anyway, a changed clock after this.
_SLEEP_MAX_S = 60.0


def run_dag(
    dag: DAG,
    *,
    run_after: datetime | None = None,
    logical_date: Any = NOTSET,
    execution_date: datetime | None = None,
    run_conf: Mapping[str, Any] | None = None,
    conn_file_path: str | None = None,
    variable_file_path: str | None = None,
    use_executor: bool = False,
    mark_success_pattern: str | re.Pattern[str] | None = None,
    find_variable: Callable[[str], str | None] | None = None,
    find_connection: Callable[[str], Mapping[str, Any] | None] | None = None,
    report: Callable[[str], None] | None = None,
    clock: Clock | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> MemoryDagRun:
    """Run *dag* to its end and return its run. A failing task does not raise.

    Args:
        run_after: when the run is to start at the earliest; only recorded here.
        logical_date: None: a run without logical date. Not given: *execution_date*, else now.
        run_conf: ``dag_run.conf``; it overrides params.
        conn_file_path: Connections, ``variable_file_path``: Variables, as JSON, YAML or lines
            of ``NAME=value``. They are asked before everything else.
        use_executor: accepted and without effect: everything runs in this process.
        mark_success_pattern: tasks whose whole id matches succeed without being run.
        find_variable: asked for a Variable that no file has; ``find_connection`` likewise.
        report: gets one line for each change of state. None: they are printed where the DAG
            file is the program itself; then a failed run also makes its exit code 1.

    Raises:
        ParamValidationError: the configuration does not fit the DAG's params: no run is made.
        SecretsFileUnreadable: one of the files cannot be read.
    """
    clock = clock or WallClock()
    is_program = is_main_program(dag.fileloc)
    if report is None and is_program:
        report = print_line
        show_logs()
    if use_executor:
        log.info("use_executor has no effect: the DAG runs in this process")
    if not is_arg_set(logical_date):
        logical_date = execution_date or clock.now()
    _check_conf(dag, run_conf)
    run = _create_run(dag, clock.now(), run_after, logical_date, run_conf)
    runtime = run.runtime
    runtime.find_variable, runtime.find_connection = find_variable, find_connection
    files = FileSecrets(variable_file_path, conn_file_path)
    pattern = re.compile(mark_success_pattern) if mark_success_pattern is not None else None
    before = task_runtime.current
    task_runtime.current = runtime
    secrets_lookup.ask_first(files)
    load_plugins()
    try:
        _Loop(dag, run, clock, sleep, pattern, report or _say_nothing).run()
    except KeyboardInterrupt:
        if not is_program:
            raise
        running = ", ".join(one.label for one in run.get_task_instances(_S.RUNNING))
        print_line(f"{dag.dag_id}: interrupted" + (f" while {running} ran" if running else ""))
        raise SystemExit(EXIT_INTERRUPTED) from None
    finally:
        secrets_lookup.stop_asking(files)
        task_runtime.current = before
    if is_program and run.state is DagRunState.FAILED:
        exit_with_failure()
    return run


def _check_conf(dag: DAG, run_conf: Mapping[str, Any] | None) -> None:
    params = copy.copy(dag.params)
    if conf.getboolean("core", "dag_run_conf_overrides_params", fallback=True):
        params.update(run_conf or {})
    params.validate()


def _create_run(
    dag: DAG,
    now: datetime,
    run_after: datetime | None,
    logical_date: datetime | None,
    run_conf: Mapping[str, Any] | None,
) -> MemoryDagRun:
    from ..sdk.serialize_dag import serialize

    serialized = serialize(dag, relative_fileloc=Path(dag.fileloc).name)
    return MemoryDagRun(
        DagStructure.from_serialized(serialized),
        _plan(serialized, dag, now, run_after, logical_date),
        conf=dict(run_conf or {}),
        queued_at=now,
        start_date=now,
    )


def _plan(
    serialized: SerializedDag,
    dag: DAG,
    now: datetime,
    run_after: datetime | None,
    logical_date: datetime | None,
) -> PlannedRun:
    if logical_date is None:
        # Without a logical date there is no data interval either, in both dialects.
        planned = manual_run(
            serialized, None, now, logical_date=now, run_after=run_after, data_interval=None
        )
        return PlannedRun(planned.run_id, planned.run_type, planned.run_after)
    return manual_run(
        serialized, dag.timetable, now, logical_date=logical_date, run_after=run_after
    )


class _Loop:
    """Decides, runs what is scheduled, and again, until the run has ended."""

    def __init__(
        self,
        dag: DAG,
        run: MemoryDagRun,
        clock: Clock,
        sleep: Callable[[float], None],
        mark_success: re.Pattern[str] | None,
        report: Callable[[str], None],
    ) -> None:
        self.dag = dag
        self.run_ = run
        self.clock = clock
        self.sleep = sleep
        self.mark_success = mark_success
        self.report = report
        #: What does not change within a round: instances of mapped tasks, lengths of arguments.
        self.upstream_counts: dict[str, int] = {}
        self.mapped_lengths: dict[str, list[int]] = {}

    def run(self) -> None:
        self.report(f"{self.run_.dag_id}: run {self.run_.run_id} begins")
        if self.dag.tasks and not self.run_.task_instances:
            # Else the run would succeed without a word about why nothing was done.
            self.report(
                f"{self.run_.dag_id}: no task runs at this logical date: it lies before the start "
                "date, or after the end date, of each of them"
            )
        while self.run_.state is DagRunState.RUNNING:
            wake_at = self._decide()
            self.upstream_counts = self.run_.upstream_counts()
            self.mapped_lengths = {}
            scheduled = self.run_.list_scheduled()
            for one in scheduled:
                self._execute(one)
            if not scheduled and self.run_.state is DagRunState.RUNNING:
                if wake_at is None:
                    raise RuntimeError(f"the run {self.run_.run_id} waits for nothing: a bug")
                self._sleep_until(wake_at)
        is_plain = self.run_.reason == self.run_.state.value
        reason = "" if is_plain else f" ({self.run_.reason})"
        self.report(f"{self.run_.dag_id}: run {self.run_.state}{reason}")
        self._call_back()

    def _call_back(self) -> None:
        is_success = self.run_.state is DagRunState.SUCCESS
        ended = self.run_.get_task_instances(_S.SUCCESS if is_success else _S.FAILED)
        last = max(ended, key=lambda one: one.end_date or self.run_.start_date, default=None)
        call_dag_callbacks(
            self.dag,
            is_success=is_success,
            reason=self.run_.reason,
            dag_run=self.run_.as_columns(),
            runtime=self.run_.runtime,
            task_id=None if last is None else last.task_id,
            map_index=-1 if last is None else last.map_index,
            try_number=1 if last is None else last.try_number,
        )

    def _decide(self) -> datetime | None:
        """Decide until nothing changes; return when time alone will change something."""
        while True:
            decision = self.run_.decide(self.clock.now())
            for transition in self.run_.apply(decision, self.clock.now()):
                if transition.new in FINISHED:
                    self._tell(self.run_.task_instances[transition.instance_id])
            # What is merely ready changes nothing for others: asking again would find nothing.
            has_ended_any = any(one.new in FINISHED for one in decision.transitions)
            if not (decision.expansions or has_ended_any) or decision.run is not None:
                return decision.wake_at

    def _sleep_until(self, at: datetime) -> None:
        while (left_s := (at - self.clock.now()).total_seconds()) > 0:
            self.sleep(min(left_s, _SLEEP_MAX_S))

    def _execute(self, one: MemoryTaskInstance) -> None:
        now = self.clock.now()
        self.run_.move(one, _S.QUEUED, "it runs in this process", now)
        self.run_.move(one, _S.RUNNING, "", now)
        if one.reschedule_count == 0 and one.next_method is None:
            one.start_date = now
        one.end_date = one.due_at = None
        if self.mark_success is not None and self.mark_success.fullmatch(one.task_id):
            self.run_.move(one, _S.SUCCESS, "marked by mark_success_pattern", now)
            self._tell(one)
            return
        start = self.run_.structure.tasks[one.task_id].start_trigger
        if start is not None and one.next_method is None:
            self.run_.move(one, _S.DEFERRED, "it starts from its trigger", now)
            self._wait_for_trigger(one, start)
            return
        if one.next_method is None:
            self.run_.runtime.delete_xcoms(
                dag_id=one.dag_id, run_id=one.run_id, task_id=one.task_id, map_index=one.map_index
            )
        result = execute_task(
            dag=self.dag,
            task=self.dag.get_task(one.task_id),
            spec=self._spec(one),
            runtime=self.run_.runtime,
            log=log,
        )
        self._take(one, result)

    def _spec(self, one: MemoryTaskInstance) -> TaskInstanceSpec:
        task = self.run_.structure.tasks[one.task_id]
        if one.map_index >= 0 and one.task_id not in self.mapped_lengths:
            self.mapped_lengths[one.task_id] = self.run_.mapped_lengths(one.task_id)
        return TaskInstanceSpec(
            dag_id=one.dag_id,
            run_id=one.run_id,
            task_id=one.task_id,
            map_index=one.map_index,
            try_number=one.try_number,
            tries_max=one.max_tries,
            next_method=one.next_method,
            next_kwargs=one.next_kwargs,
            started_at=one.start_date,
            first_reschedule_at=one.first_reschedule_at,
            reschedule_count=one.reschedule_count,
            mapped_lengths=self.mapped_lengths.get(one.task_id, []),
            upstream_counts=self.upstream_counts,
            dag_run=self.run_.as_columns(),
            priority_weight=task.effective_priority_weight,
            pool=task.pool,
            pool_slots=task.pool_slots,
            queue=task.queue,
            relative_fileloc=self.run_.structure.dag.relative_fileloc,
            fileloc=self.dag.fileloc,
        )

    def _take(self, one: MemoryTaskInstance, result: TaskResult) -> None:
        """Store what the attempt left, and move its task instance."""
        now = self.clock.now()
        if result.outcome == "deferred":
            self.run_.move(one, _S.DEFERRED, result.reason, now)
            self._tell(one)
            self._wait_for_trigger(one, result.trigger or {})
            return
        one.next_method = one.next_kwargs = None
        for xcom in result.xcoms:
            self.run_.runtime.set_xcom(
                dag_id=one.dag_id,
                run_id=one.run_id,
                task_id=one.task_id,
                map_index=one.map_index,
                key=xcom.key,
                value=xcom.value,
                length=xcom.length,
            )
        verdict = judge_result(
            result.outcome,
            dag_id=one.dag_id,
            task=self.run_.structure.tasks[one.task_id],
            try_number=one.try_number,
            tries_max=one.max_tries,
            logical_date=self.run_.logical_date,
            ended_at=now,
            due_at=result.due_at,
            reason=result.reason,
        )
        one.rendered_map_index = result.rendered_map_index or one.rendered_map_index
        self.run_.move(one, verdict.new_state, verdict.reason, now)
        one.end_date, one.due_at = now, verdict.due_at
        self.run_.runtime.add_asset_events(result.asset_events, now, one.task_id, one.map_index)
        if verdict.new_state is _S.UP_FOR_RESCHEDULE:
            one.first_reschedule_at = one.first_reschedule_at or one.start_date
            one.reschedule_count += 1
        else:  # what a sensor's timeout counts from is kept over retries
            one.reschedule_count = 0
        self._tell(one)
        if one.map_index < 0:  # a mapped branch speaks through its mark, index by index
            reason = f"{one.label} did not follow it"
            for skipped in self.run_.skip(result.skip_task_ids, reason, now):
                self._tell(skipped)

    def _wait_for_trigger(self, one: MemoryTaskInstance, wanted: Mapping[str, Any]) -> None:
        """Run its trigger here and now, and let the task instance go on, or end."""
        with task_surroundings(self.run_.runtime):
            report = run_inline(wanted)
        now = self.clock.now()
        for key, (value, length) in report.xcoms.items():
            self.run_.runtime.set_xcom(
                dag_id=one.dag_id,
                run_id=one.run_id,
                task_id=one.task_id,
                map_index=one.map_index,
                key=key,
                value=value,
                length=length,
            )
        if report.state:
            self.run_.move(one, _S(report.state), "ended by its trigger", now)
            one.end_date, one.next_method, one.next_kwargs = now, None, None
        else:
            one.next_method, one.next_kwargs = how_it_goes_on(wanted, report)
            self.run_.move(one, _S.SCHEDULED, "its trigger fired", now)
        self._tell(one)

    def _tell(self, one: MemoryTaskInstance) -> None:
        duration = f" in {one.duration:.2f} s" if one.duration else ""
        reason = f": {one.reason}" if one.reason and one.current is not _S.SUCCESS else ""
        self.report(f"{one.label} {one.current}{duration}{reason}")


def _say_nothing(line: str) -> None:
    """Take a line and drop it."""
