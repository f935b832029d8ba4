"""Which task instances an act of a person is about (semantics 5.12 and 5.13)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, tuple_

from ..planning.structure import DagStructure
from ..sdk.states import FAILED_STATES
from .errors import DagNotFound, DagRunNotFound
from .tables import dag, dag_run, task_instance
from .versions import VersionCache

ROWS = select(task_instance, dag_run.c.dag_id, dag_run.c.run_id, dag_run.c.logical_date).join(
    dag_run, dag_run.c.id == task_instance.c.dag_run_id
)


@dataclass(frozen=True, slots=True)
class Selection:
    """Task instances of one DAG. Every condition that is given narrows or widens as it says."""

    dag_id: str
    #: None: all tasks.
    task_ids: Collection[str] | None = None
    #: (task id, map index) pairs, instead of whole tasks.
    instances: Collection[tuple[str, int]] | None = None
    #: None with dates None: all runs.
    run_ids: Collection[str] | None = None
    #: Bounds of the logical date, inclusive.
    from_at: datetime | None = None
    to_at: datetime | None = None
    include_upstream: bool = False
    include_downstream: bool = False
    #: Also the same tasks in runs with a smaller (greater) logical date.
    include_past: bool = False
    include_future: bool = False
    only_failed: bool = False
    only_running: bool = False
    #: A task's setups and teardowns are chosen with it.
    with_setups: bool = False

    def find(self, connection: Connection, versions: VersionCache) -> Sequence[Any]:
        """Return the rows, with the ids of their runs.

        Raises:
            DagNotFound: there is no such DAG.
            DagRunNotFound: a run that is named does not exist.
        """
        structure = self.structure(connection, versions)
        run_ids = self.find_runs(connection)
        found: list[Any] = []
        for start in range(0, len(run_ids), 200):
            statement = ROWS.where(dag_run.c.id.in_(run_ids[start : start + 200]))
            chosen = self._task_ids(structure)
            if chosen is not None:
                exact = None
                if self.instances is not None:
                    exact = tuple_(task_instance.c.task_id, task_instance.c.map_index).in_(
                        list(self.instances)
                    )
                by_task = task_instance.c.task_id.in_(sorted(chosen))
                statement = statement.where(by_task if exact is None else by_task | exact)
            if self.only_failed:
                statement = statement.where(
                    task_instance.c.state.in_([state.value for state in FAILED_STATES])
                )
            if self.only_running:
                statement = statement.where(task_instance.c.state == "running")
            found.extend(
                connection.execute(statement.order_by(dag_run.c.run_after, task_instance.c.id))
            )
        return found

    def structure(self, connection: Connection, versions: VersionCache) -> DagStructure:
        """Return the structure of the DAG's newest version.

        Raises:
            DagNotFound: there is no such DAG.
        """
        version_id = connection.execute(
            select(dag.c.version_id).where(dag.c.dag_id == self.dag_id)
        ).scalar_one_or_none()
        if version_id is None:
            raise DagNotFound(self.dag_id)
        return versions.get(connection, version_id).structure

    def find_runs(self, connection: Connection) -> list[int]:
        """Return the numbers of the runs that are meant.

        Raises:
            DagRunNotFound: a run that is named does not exist.
        """
        of_dag = select(dag_run.c.id, dag_run.c.run_id, dag_run.c.logical_date).where(
            dag_run.c.dag_id == self.dag_id
        )
        if self.run_ids is None:
            statement = of_dag
            # A run without a logical date is meant by the instant from which on it could start.
            dated_at = func.coalesce(dag_run.c.logical_date, dag_run.c.run_after)
            if self.from_at is not None:
                statement = statement.where(dated_at >= self.from_at)
            if self.to_at is not None:
                statement = statement.where(dated_at <= self.to_at)
            return [row.id for row in connection.execute(statement).all()]
        named = connection.execute(of_dag.where(dag_run.c.run_id.in_(list(self.run_ids)))).all()
        missing = set(self.run_ids) - {row.run_id for row in named}
        if missing:
            raise DagRunNotFound(self.dag_id, sorted(missing)[0])
        ids = [row.id for row in named]
        dates = [row.logical_date for row in named if row.logical_date is not None]
        if dates and self.include_past:
            earlier = of_dag.where(dag_run.c.logical_date < max(dates))
            ids.extend(row.id for row in connection.execute(earlier).all())
        if dates and self.include_future:
            later = of_dag.where(dag_run.c.logical_date > min(dates))
            ids.extend(row.id for row in connection.execute(later).all())
        return sorted(set(ids))

    def _task_ids(self, structure: DagStructure) -> set[str] | None:
        """Return whole tasks that are meant beside ``instances``; None: all."""
        if self.task_ids is None and self.instances is None:
            return None
        start = set(self.task_ids or ())
        seeds = start | {task_id for task_id, _ in self.instances or ()}
        chosen = set(start)
        if self.include_upstream:
            chosen.update(structure.upstream_closure(seeds))
        if self.include_downstream:
            chosen.update(structure.downstream_closure(seeds))
        if self.with_setups:
            chosen.update(_setups_and_teardowns(structure, seeds | chosen))
        return chosen


def _setups_and_teardowns(structure: DagStructure, task_ids: Collection[str]) -> set[str]:
    """A task comes with its setups and their teardowns, a setup with its teardowns."""
    found: set[str] = set()
    for task_id in task_ids:
        if task_id not in structure.tasks or structure.tasks[task_id].is_teardown:
            continue
        setups = {id_ for id_ in structure.upstream_ids[task_id] if structure.tasks[id_].is_setup}
        setups.update(structure.indirect_setup_ids.get(task_id, ()))
        if structure.tasks[task_id].is_setup:
            setups.add(task_id)
        found |= setups
        for setup_id in setups:
            found.update(
                id_
                for id_ in structure.downstream_ids[setup_id]
                if structure.tasks[id_].is_teardown
            )
    return found
