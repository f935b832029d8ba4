"""The running task instance as user code sees it: ``ti`` (semantics sections 8.1 and 9.2)."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from . import task_runtime, xcom
from .dag_run import DagRun, to_pendulum
from .not_set import NOTSET
from .states import FINISHED, TaskInstanceState
from .timezone import plain_utc, utcnow
from .xcom_arg import XCOM_RETURN_KEY
from .xcom_pull import Pull, read_map_indexes

if TYPE_CHECKING:
    from uuid import UUID

    from .context import Context

log = logging.getLogger("airflow.task")


class TaskInstanceKey(NamedTuple):
    """What names a try of a task instance."""

    dag_id: str
    task_id: str
    run_id: str
    try_number: int = 1
    map_index: int = -1

    @property
    def primary(self) -> tuple[str, str, str, int]:
        """The key without the try."""
        return self.dag_id, self.task_id, self.run_id, self.map_index


class RuntimeTaskInstance:
    """One try of one task in one dag run. All it stores or asks goes through *runtime*."""

    def __init__(
        self,
        *,
        task: Any,
        dag_run: DagRun,
        runtime: task_runtime.TaskRuntime,
        map_index: int = -1,
        try_number: int = 1,
        max_tries: int = 0,
        attributes: Mapping[str, Any] | None = None,
    ) -> None:
        """Take what names it; *attributes*: what pages know besides (queue, pool, ...)."""
        self.task = task
        self.dag_run = dag_run
        self.dag_id = dag_run.dag_id
        self.run_id = dag_run.run_id
        self.task_id = task.task_id
        self.map_index = map_index
        self.try_number = try_number
        self.max_tries = max_tries
        self.state: str | None = TaskInstanceState.RUNNING
        self.start_date = to_pendulum(utcnow())
        self.end_date: Any = None
        self.rendered_map_index: str | None = None
        self.reschedule_count = 0
        #: Of the task instance in the database; 0 where there is none.
        self.row_number = 0
        self.pid = os.getpid()
        self.hostname = ""
        #: Ids that ``skip`` marked; they go with the result.
        self.skip_task_ids: list[str] = []
        #: XComs that go with the result: key → value.
        self.pending_xcoms: dict[str, Any] = {}
        self._runtime = runtime
        self._template_context: Context | None = None
        for name, value in (attributes or {}).items():
            setattr(self, name, value)

    # --- names --------------------------------------------------------------------------------

    @property
    def key(self) -> TaskInstanceKey:
        """What names this try."""
        return TaskInstanceKey(
            self.dag_id, self.task_id, self.run_id, self.try_number, self.map_index
        )

    @property
    def id(self) -> UUID:
        """What the API of version 2 calls it; without a database something as unique."""
        import uuid

        if self.row_number:
            return uuid.UUID(int=self.row_number)
        names = f"{self.dag_id}/{self.run_id}/{self.task_id}/{self.map_index}"
        return uuid.uuid5(uuid.NAMESPACE_OID, names)

    @property
    def logical_date(self) -> Any:
        """The logical date of the dag run."""
        return self.dag_run.logical_date

    execution_date = logical_date

    @property
    def operator(self) -> str:
        """The name of the operator's class."""
        return str(self.task.task_type)

    @property
    def operator_name(self) -> str:
        """What pages call the operator."""
        return str(self.task.operator_name)

    @property
    def task_display_name(self) -> str:
        """The name that pages show."""
        return str(self.task.task_display_name)

    @property
    def duration(self) -> float | None:
        """Seconds from start to end; None while it runs."""
        if self.end_date is None or self.start_date is None:
            return None
        return float((self.end_date - self.start_date).total_seconds())

    @property
    def prev_attempted_tries(self) -> int:
        """The try that was made last: this one."""
        return self.try_number

    @property
    def log(self) -> logging.Logger:
        """The logger of tasks."""
        return log

    @property
    def log_url(self) -> str:
        """Where the log of this try can be seen."""
        return self._runtime.get_trace_text()

    @property
    def mark_success_url(self) -> str:
        """Where the task instance can be marked as a success: its page."""
        return self.log_url

    @property
    def unixname(self) -> str:
        """The user of the operating system under whom the task runs."""
        import getpass

        return getpass.getuser()

    def current_state(self) -> str | None:
        """Return the state."""
        return self.state

    def is_eligible_to_retry(self) -> bool:
        """Tell whether there is a try left after this one."""
        return bool(self.task.retries) and self.try_number <= self.max_tries

    @property
    def previous_ti(self) -> Any:
        """This task's instance in the previous run, or None."""
        return self.get_previous_ti()

    @property
    def executor_config(self) -> Any:
        """What the task says to its executor."""
        return self.task.executor_config

    def get_dagrun(self) -> DagRun:
        """Return the dag run."""
        return self.dag_run

    def get_template_context(self, **ignored: Any) -> Context:
        """Return the context of the task instance."""
        if self._template_context is None:
            from .task_context import build_context

            self._template_context = build_context(self, params=getattr(self.task, "params", {}))
        return self._template_context

    def bind_context(self, context: Context) -> None:
        """Let ``get_template_context`` return *context*."""
        self._template_context = context

    def render_templates(self, context: Any = None, jinja_env: Any = None) -> Any:
        """Render the template fields of the task, in place; return the task."""
        self.task.render_template_fields(context or self.get_template_context(), jinja_env)
        return self.task

    # --- XCom ---------------------------------------------------------------------------------

    def xcom_push(self, key: str, value: Any, execution_date: Any = None) -> None:
        """Store a value for other tasks, at once.

        Raises:
            ValueError: the key is empty.
            XComNotStorable: the value has a type that cannot be stored (also a TypeError).
        """
        xcom.check_key(key)
        text, length = self.encode_xcom(key, value)
        self._runtime.set_xcom(
            dag_id=self.dag_id,
            run_id=self.run_id,
            task_id=self.task_id,
            map_index=self.map_index,
            key=key,
            value=text,
            length=length,
        )
        self.pending_xcoms.pop(key, None)

    def encode_xcom(self, key: str, value: Any) -> tuple[str, int | None]:
        """Return a value of this task instance as it is stored, and its number of elements."""
        return xcom.encode_xcom(
            value,
            dag_id=self.dag_id,
            task_id=self.task_id,
            run_id=self.run_id,
            map_index=self.map_index,
            key=key,
        )

    def xcom_pull(
        self,
        task_ids: str | Iterable[str] | None = None,
        dag_id: str | None = None,
        key: str | None = XCOM_RETURN_KEY,
        include_prior_dates: bool = False,
        session: Any = None,
        *,
        map_indexes: int | Iterable[int] | None = NOTSET,  # type: ignore[assignment]
        default: Any = None,
        run_id: str | None = None,
    ) -> Any:
        """Return what tasks of the run have pushed.

        One task id gives its value (a list by map index where the task is mapped), several give a
        list in their order. *default* stands for what was not pushed.

        Args:
            task_ids: None means this task; in a DAG of Airflow 2 whichever task pushed last.
            key: None means any key.
            include_prior_dates: runs with an earlier logical date are looked at too, newest first.
            map_indexes: one index gives its value, several give a list in their order.

        Source: semantics section 8.1 (as Airflow 2 with defaults, as Airflow 3 with lists), and
        row 9 of section 11. Of several tasks Airflow 2 gives what is there, without gaps.
        """
        where = dag_id or self.dag_id
        is_airflow_2 = getattr(getattr(self.task, "dag", None), "dialect", None) == "2"
        indexes = read_map_indexes(map_indexes)
        ids: list[str] | None = None
        if task_ids is not None:
            ids = [task_ids] if isinstance(task_ids, str) else list(task_ids)
        if task_ids is None:
            if where == self.dag_id and key in self.pending_xcoms:
                return self.pending_xcoms[key]
            if not is_airflow_2:
                ids = [self.task_id]
                indexes = self.map_index if indexes is None else indexes
        elif not ids:
            return []
        rows = self._runtime.get_xcoms(
            dag_id=where,
            run_id=run_id or self.run_id,
            task_ids=ids,
            key=key,
            map_indexes=[indexes] if isinstance(indexes, int) else indexes,
            include_prior_dates=include_prior_dates,
        )
        pull = Pull(indexes, default, is_airflow_2, lambda row: xcom.decode_xcom(row, where))
        if ids is None:
            return pull.of_any(rows)
        if task_ids is None or isinstance(task_ids, str):
            return pull.of_one(rows)
        return pull.of_several(ids, rows)

    def xcom_pull_mapped(
        self, *, task_id: str, dag_id: str | None = None, key: str = XCOM_RETURN_KEY
    ) -> xcom.LazyXComSequence:
        """Return what all instances of a mapped task pushed, fetched when it is looked at."""
        return xcom.LazyXComSequence(
            dag_id=dag_id or self.dag_id, run_id=self.run_id, task_id=task_id, key=key
        )

    # --- other runs and tasks -----------------------------------------------------------------

    def get_previous_dagrun(self, state: Any = None, session: Any = None) -> DagRun | None:
        """Return the latest run with a smaller logical date (that is in *state*), or None."""
        if self.dag_run.logical_date is None:
            return None
        return self._run_before(self.dag_run.logical_date, state)

    def _run_before(self, logical_date: datetime, state: Any) -> DagRun | None:
        fields = self._runtime.get_previous_dag_run(
            dag_id=self.dag_id,
            logical_date=datetime.fromisoformat(logical_date.isoformat()),
            state=None if state is None else str(getattr(state, "value", state)),
        )
        if fields is None:
            return None
        return DagRun(self.dag_id, str(fields.get("run_id", "")), fields)

    def get_previous_ti(
        self,
        state: Any = None,
        logical_date: datetime | None = None,
        map_index: int | None = None,
        session: Any = None,
    ) -> Any:
        """Return this task's instance in the latest earlier run (in which it is in *state*).

        Args:
            logical_date: earlier than this one; by default, than the run's.
            map_index: by default the task instance's own.
        """
        index = self.map_index if map_index is None else map_index
        wanted = None if state is None else str(getattr(state, "value", state))
        before = self.dag_run.logical_date if logical_date is None else logical_date
        while before is not None:
            run = self._run_before(before, None)
            found = None if run is None else run.get_task_instance(self.task_id, index)
            if run is None or wanted is None or (found is not None and found.state == wanted):
                return found
            before = run.logical_date
        return None

    def get_first_reschedule_date(self, context: Any = None) -> datetime | None:
        """Return when this try was rescheduled first, or None."""
        return getattr(self, "first_reschedule_at", None)

    @staticmethod
    def get_ti_count(
        dag_id: str,
        map_index: int | None = None,
        task_ids: list[str] | None = None,
        task_group_id: str | None = None,
        logical_dates: list[datetime] | None = None,
        run_ids: list[str] | None = None,
        states: list[str] | None = None,
    ) -> int:
        """Count task instances that match all that is given."""
        return _current_runtime().count_task_instances(
            dag_id=dag_id,
            map_index=map_index,
            task_ids=task_ids,
            task_group_id=task_group_id,
            logical_dates=_plain_dates(logical_dates),
            run_ids=run_ids,
            states=_state_names(states),
        )

    @staticmethod
    def get_task_states(
        dag_id: str,
        map_index: int | None = None,
        task_ids: list[str] | None = None,
        task_group_id: str | None = None,
        logical_dates: list[datetime] | None = None,
        run_ids: list[str] | None = None,
    ) -> dict[str, dict[str, str]]:
        """Return run id → task id → state; runs are named by ids or by logical dates."""
        return _current_runtime().get_task_states(
            dag_id=dag_id,
            run_ids=run_ids,
            task_ids=task_ids,
            logical_dates=_plain_dates(logical_dates),
            task_group_id=task_group_id,
            map_index=map_index,
        )

    @staticmethod
    def get_dagrun_state(dag_id: str, run_id: str) -> str | None:
        """Return the state of a run, None where there is no such run."""
        fields = _current_runtime().get_dag_run(dag_id=dag_id, run_id=run_id)
        return None if fields is None else str(fields.get("state"))

    @staticmethod
    def get_dr_count(
        dag_id: str,
        logical_dates: Sequence[datetime] | None = None,
        run_ids: Sequence[str] | None = None,
        states: Sequence[str] | None = None,
    ) -> int:
        """Count the runs that match all that is given."""
        return _current_runtime().count_dag_runs(
            dag_id=dag_id,
            logical_dates=_plain_dates(logical_dates),
            run_ids=None if run_ids is None else list(run_ids),
            states=_state_names(states),
        )

    @staticmethod
    def get_task_breadcrumbs(dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """Return task id, map index and state of every finished task instance of a run."""
        states = _current_runtime().get_task_states(dag_id=dag_id, run_ids=[run_id], task_ids=None)
        crumbs = []
        for name, state in states.get(run_id, {}).items():
            task_id, _, index = name.rstrip("]").partition("[")
            if state in FINISHED:
                crumbs.append({"task_id": task_id, "map_index": int(index or -1), "state": state})
        return crumbs

    def __repr__(self) -> str:
        index = f" map_index={self.map_index}" if self.map_index >= 0 else ""
        return f"<TaskInstance: {self.dag_id}.{self.task_id} {self.run_id}{index} [{self.state}]>"


def _state_names(states: Sequence[Any] | None) -> list[str] | None:
    return None if states is None else [str(getattr(one, "value", one)) for one in states]


def _plain_dates(dates: Sequence[datetime] | None) -> list[datetime] | None:
    # pendulum's own class does not cross a socket.
    return None if dates is None else [plain_utc(date) for date in dates]


def _current_runtime() -> task_runtime.TaskRuntime:
    return xcom._runtime()


def host_name() -> str:
    """Return the name of this machine."""
    return socket.gethostname()
