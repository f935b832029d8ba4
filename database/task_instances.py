"""Task instances: read by pages and commands, cleared and marked by people."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select

from ..planning.choose import Blocked
from ..planning.snapshot import RunSnapshot
from ..sdk.states import TaskInstanceState
from .attempts import attempt_row
from .clears import clear_instances
from .errors import DagRunNotFound, NotAllowed, TaskInstanceNotFound
from .instance_deletes import delete_instances
from .instance_marks import mark_instances
from .operations import Operations
from .queueing import find_blocked
from .results import keep_rendered
from .selections import Selection
from .settle import Settling
from .snapshots import load_run
from .tables import attempt, dag_run, rendered_fields, task_instance
from .values import AttemptRow, TaskInstanceRow

_ROWS = select(task_instance, dag_run.c.dag_id, dag_run.c.run_id, dag_run.c.logical_date).join(
    dag_run, dag_run.c.id == task_instance.c.dag_run_id
)


class TaskInstanceOperations(Operations):
    """``store.task_instances``: the tasks of runs."""

    def get(self, dag_id: str, run_id: str, task_id: str, map_index: int = -1) -> TaskInstanceRow:
        """Return one task instance.

        Raises:
            TaskInstanceNotFound: there is none.
        """
        found = self.find(dag_id, run_id, task_id, map_index)
        if found is None:
            raise TaskInstanceNotFound(dag_id, run_id, task_id, map_index)
        return found

    def find(
        self, dag_id: str, run_id: str, task_id: str, map_index: int = -1
    ) -> TaskInstanceRow | None:
        """Return one task instance or None."""
        statement = _ROWS.where(
            dag_run.c.dag_id == dag_id,
            dag_run.c.run_id == run_id,
            task_instance.c.task_id == task_id,
            task_instance.c.map_index == map_index,
        )
        with self._database.read() as connection:
            row = connection.execute(statement).one_or_none()
        return None if row is None else instance_row(row)

    def by_id(self, task_instance_id: int) -> TaskInstanceRow | None:
        """Return the task instance with this number or None."""
        with self._database.read() as connection:
            row = connection.execute(
                _ROWS.where(task_instance.c.id == task_instance_id)
            ).one_or_none()
        return None if row is None else instance_row(row)

    def list(
        self,
        dag_id: str,
        run_id: str,
        *,
        task_ids: Sequence[str] | None = None,
        states: Sequence[str] = (),
        limit: int | None = None,
        offset: int = 0,
    ) -> builtins.list[TaskInstanceRow]:
        """Return the task instances of one run in the order of their rows and map indexes."""
        statement = _ROWS.where(dag_run.c.dag_id == dag_id, dag_run.c.run_id == run_id)
        if task_ids is not None:
            statement = statement.where(task_instance.c.task_id.in_(task_ids))
        if states:
            statement = statement.where(task_instance.c.state.in_([str(one) for one in states]))
        first = (
            select(func.min(task_instance.c.id).label("first_id"), task_instance.c.task_id)
            .join(dag_run, dag_run.c.id == task_instance.c.dag_run_id)
            .where(dag_run.c.dag_id == dag_id, dag_run.c.run_id == run_id)
            .group_by(task_instance.c.task_id)
            .subquery()
        )
        statement = (
            statement.join(first, first.c.task_id == task_instance.c.task_id)
            .order_by(first.c.first_id, task_instance.c.map_index)
            .limit(limit)
            .offset(offset)
        )
        with self._database.read() as connection:
            return [instance_row(row) for row in connection.execute(statement).all()]

    def count(
        self,
        *,
        dag_id: str,
        task_ids: Sequence[str] | None = None,
        logical_dates: Sequence[datetime] | None = None,
        run_ids: Sequence[str] | None = None,
        states: Sequence[str] | None = None,
        map_index: int | None = None,
    ) -> int:
        """Count task instances that match all given conditions."""
        statement = (
            select(func.count())
            .select_from(task_instance)
            .join(dag_run, dag_run.c.id == task_instance.c.dag_run_id)
        )
        statement = _conditions(statement, dag_id, run_ids, states or ())
        if task_ids is not None:
            statement = statement.where(task_instance.c.task_id.in_(task_ids))
        if logical_dates is not None:
            statement = statement.where(dag_run.c.logical_date.in_(logical_dates))
        if map_index is not None:
            statement = statement.where(task_instance.c.map_index == map_index)
        with self._database.read() as connection:
            return int(connection.execute(statement).scalar_one())

    def states(
        self,
        *,
        dag_id: str,
        run_ids: Sequence[str] | None = None,
        logical_dates: Sequence[datetime] | None = None,
        task_ids: Sequence[str] | None = None,
        map_index: int | None = None,
    ) -> dict[str, dict[str, str]]:
        """Return run id → task id (``task_id[map_index]`` where mapped) → state.

        Of no run, where neither ids nor dates are given.
        """
        if run_ids is None and logical_dates is None:
            return {}
        statement: Select[Any] = (
            select(
                dag_run.c.run_id,
                task_instance.c.task_id,
                task_instance.c.map_index,
                task_instance.c.state,
            )
            .join(dag_run, dag_run.c.id == task_instance.c.dag_run_id)
            .order_by(task_instance.c.id)
        )
        statement = _conditions(statement, dag_id, run_ids, ())
        if logical_dates is not None:
            statement = statement.where(dag_run.c.logical_date.in_(logical_dates))
        if map_index is not None:
            statement = statement.where(task_instance.c.map_index == map_index)
        if task_ids is not None:
            statement = statement.where(task_instance.c.task_id.in_(task_ids))
        found: dict[str, dict[str, str]] = {}
        with self._database.read() as connection:
            for run_id, task_id, index, state in connection.execute(statement):
                name = task_id if index < 0 else f"{task_id}[{index}]"
                found.setdefault(run_id, {})[name] = state
        return found

    def tries(
        self, dag_id: str, run_id: str, task_id: str, map_index: int = -1
    ) -> builtins.list[AttemptRow]:
        """Return all attempts of a task instance, oldest first; they survive clears.

        Raises:
            TaskInstanceNotFound: there is no such task instance.
        """
        found = self.get(dag_id, run_id, task_id, map_index)
        statement = (
            select(attempt).where(attempt.c.task_instance_id == found.id).order_by(attempt.c.epoch)
        )
        with self._database.read() as connection:
            return [attempt_row(row) for row in connection.execute(statement).all()]

    def rendered_fields(self, task_instance_id: int) -> Mapping[str, Any]:
        """Return the rendered template fields of the last try; {} where none are kept."""
        with self._database.read() as connection:
            found: Mapping[str, Any] | None = connection.execute(
                select(rendered_fields.c.fields).where(
                    rendered_fields.c.task_instance_id == task_instance_id
                )
            ).scalar_one_or_none()
        return found or {}

    def save_rendered_fields(
        self, task_instance_id: int, try_number: int, fields: Mapping[str, Any]
    ) -> None:
        """Keep the rendered template fields of a try for display."""
        with self._database.write() as connection:
            keep_rendered(connection, task_instance_id, try_number, dict(fields))

    def set_note(self, task_instance_id: int, note: str) -> None:
        """Set the note of a task instance."""
        with self._database.write() as connection:
            connection.execute(
                task_instance.update()
                .where(task_instance.c.id == task_instance_id)
                .values(note=note)
            )

    def delete(self, rows: Sequence[TaskInstanceRow], now: datetime, actor: str) -> None:
        """Delete task instances with their tries and XComs.

        Raises:
            NotAllowed: a run of theirs has not ended.
        """
        with self._database.write() as connection:
            delete_instances(connection, rows, now, actor)
        self._ring("web")

    def clear(
        self,
        selection: Selection,
        now: datetime,
        actor: str,
        *,
        dry_run: bool = False,
        reset_dag_runs: bool = True,
        on_latest_version: bool | None = None,
    ) -> builtins.list[TaskInstanceRow]:
        """Clear task instances, so that they run again (semantics 5.12).

        Args:
            dry_run: only tell which ones would be cleared.
            reset_dag_runs: finished runs are queued again.
            on_latest_version: True moves the runs to the newest DAG version first, since the
                code that runs is the newest, too; None: as the DAG says, else True.

        Returns:
            What was cleared, as it stood before.

        Raises:
            NotFound: the DAG, or a run that is named, does not exist.
        """
        if dry_run:
            with self._database.read() as connection:
                chosen = selection.find(connection, self._versions)
                return [instance_row(row) for row in chosen]
        with self._database.write() as connection:
            settling = Settling(connection, self._versions, self._settings, now, actor)
            chosen = selection.find(connection, self._versions)
            clear_instances(
                settling,
                selection,
                chosen,
                reset_dag_runs=reset_dag_runs,
                on_latest_version=on_latest_version,
            )
        self._ring("scheduler", "runner", "web")
        return [instance_row(row) for row in chosen]

    def mark(
        self,
        selection: Selection,
        state: TaskInstanceState | str,
        now: datetime,
        actor: str,
        *,
        dry_run: bool = False,
    ) -> builtins.list[TaskInstanceRow]:
        """Mark task instances success, failed or skipped by hand (semantics 5.13).

        Returns:
            What was marked, as it stood before.

        Raises:
            NotAllowed: a person cannot give this state.
            NotFound: the DAG, or a run that is named, does not exist.
        """
        wanted = TaskInstanceState(state)
        allowed = (
            TaskInstanceState.SUCCESS,
            TaskInstanceState.FAILED,
            TaskInstanceState.SKIPPED,
        )
        if wanted not in allowed:
            raise NotAllowed(f"A task instance cannot be marked {wanted}.")
        if dry_run:
            with self._database.read() as connection:
                return [instance_row(row) for row in selection.find(connection, self._versions)]
        with self._database.write() as connection:
            settling = Settling(connection, self._versions, self._settings, now, actor)
            chosen = selection.find(connection, self._versions)
            mark_instances(settling, chosen, wanted)
        self._ring("scheduler", "runner", "web")
        return [instance_row(row) for row in chosen]

    def snapshot(self, dag_run_id: int) -> RunSnapshot:
        """Return what ``decide`` and ``explain`` see of a run now.

        Raises:
            DagRunNotFound: there is no such run.
        """
        with self._database.read() as connection:
            loaded = load_run(connection, self._versions, dag_run_id, self._settings.map_length_max)
        if loaded is None:
            raise DagRunNotFound("?", str(dag_run_id))
        return loaded.snapshot

    def blocked(self) -> builtins.list[Blocked]:
        """Return what holds each scheduled task instance that cannot be queued now."""
        with self._database.read() as connection:
            return find_blocked(connection, self._versions, self._settings)


def instance_row(row: Any) -> TaskInstanceRow:
    """Make the plain value of a task instance's row with the ids of its run."""
    return TaskInstanceRow(
        id=row.id,
        dag_run_id=row.dag_run_id,
        dag_id=row.dag_id,
        run_id=row.run_id,
        logical_date=row.logical_date,
        task_id=row.task_id,
        map_index=row.map_index,
        rendered_map_index=row.rendered_map_index,
        state=TaskInstanceState(row.state),
        state_reason=row.state_reason,
        try_number=row.try_number,
        tries_max=row.tries_max,
        epoch=row.epoch,
        claim_id=row.claim_id,
        due_at=row.due_at,
        scheduled_at=row.scheduled_at,
        queued_at=row.queued_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        operator_name=row.operator_name,
        pool=row.pool,
        pool_slots=row.pool_slots,
        queue=row.queue,
        executor=row.executor,
        priority_weight=row.priority_weight,
        version_id=row.version_id,
        worker_id=row.worker_id,
        hostname=row.hostname,
        pid=row.pid,
        queue_count=row.queue_count,
        note=row.note,
    )


def _conditions(
    statement: Select[Any],
    dag_id: str | None,
    run_ids: Sequence[str] | None,
    states: Sequence[str],
) -> Select[Any]:
    if dag_id is not None:
        statement = statement.where(dag_run.c.dag_id == dag_id)
    if run_ids is not None:
        statement = statement.where(dag_run.c.run_id.in_(run_ids))
    if states:
        statement = statement.where(task_instance.c.state.in_([str(one) for one in states]))
    return statement
