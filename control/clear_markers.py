"""``ExternalTaskMarker``: to clear it clears the task of another DAG that it stands for, too.

Source: ``spec/semantics.md`` sections 5.12 and 6.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..database.errors import DagNotFound
from .input import InvalidInput, parse_instant

if TYPE_CHECKING:
    from ..database.values import TaskInstanceRow
    from ..sdk.serialized import SerializedTask
    from .clear_request import ClearRequest
    from .services import Services


class MarkerWalk:
    """Follows the markers among cleared task instances, from DAG to DAG."""

    def __init__(self, services: Services, request: ClearRequest) -> None:
        self._services = services
        self._request = request
        self._seen: set[tuple[str, str, datetime]] = set()
        self._tasks: dict[str, dict[str, SerializedTask]] = {}

    def targets(self, rows: Sequence[TaskInstanceRow]) -> list[ClearRequest]:
        """Return what else is to be cleared with *rows*: in each other DAG the task and all below.

        Raises:
            InvalidInput: a marker names no DAG, or a date that is none.
        """
        found = []
        for row in rows:
            marker = self._marker(row)
            if marker is None:
                continue
            at = _date(row, str(marker["logical_date"]))
            key = (marker["dag_id"], marker["task_id"], at)
            if key in self._seen:
                continue
            self._seen.add(key)
            if marker["task_id"] not in self._tasks_of(marker["dag_id"], row):
                raise InvalidInput(
                    f"The marker {row.task_id!r} of DAG {row.dag_id!r} stands for the task "
                    f"{marker['task_id']!r}, which DAG {marker['dag_id']!r} does not have"
                )
            found.append(
                replace(
                    self._request,
                    dag_id=marker["dag_id"],
                    task_pattern=None,
                    task_id=marker["task_id"],
                    task_ids=None,
                    instances=None,
                    map_index=None,
                    run_ids=None,
                    from_at=at,
                    to_at=at,
                    include_upstream=False,
                    include_downstream=True,
                    include_past=False,
                    include_future=False,
                )
            )
        return found

    def depth(self, rows: Sequence[TaskInstanceRow]) -> int:
        """Return over how many markers those among *rows* let a clear go on; 0: there is none."""
        depths = [marker["depth"] for row in rows if (marker := self._marker(row)) is not None]
        return max(depths, default=0)

    def _marker(self, row: TaskInstanceRow) -> dict[str, Any] | None:
        task = self._tasks_of(row.dag_id, row).get(row.task_id)
        return None if task is None else task.external_marker

    def _tasks_of(self, dag_id: str, row: TaskInstanceRow) -> dict[str, SerializedTask]:
        if dag_id not in self._tasks:
            try:
                dag = self._services.store.dags.serialized(dag_id)
            except DagNotFound as error:
                raise InvalidInput(
                    f"The marker {row.task_id!r} of DAG {row.dag_id!r} stands for a task of DAG "
                    f"{dag_id!r}, and there is no such DAG"
                ) from error
            self._tasks[dag_id] = {task.task_id: task for task in dag.tasks}
        return self._tasks[dag_id]


def _date(row: TaskInstanceRow, template: str) -> datetime:
    """Return the logical date that a marker names: a text, or a template over its own run's."""
    where = f"The marker {row.task_id!r} of DAG {row.dag_id!r}"
    text = template
    if "{" in template:
        if row.logical_date is None:
            raise InvalidInput(f"{where} asks for the logical date of its run, which has none")
        import jinja2

        from ..sdk.dag_run import to_pendulum
        from ..sdk.macros import ds_add
        from ..sdk.template_environment import make_environment

        date = to_pendulum(row.logical_date)
        names = {
            "logical_date": date,
            "execution_date": date,
            "ds": date.strftime("%Y-%m-%d"),
            "ts": date.isoformat(),
            "run_id": row.run_id,
            "macros": {"ds_add": ds_add},
        }
        try:
            text = make_environment(None, is_native=False).from_string(template).render(names)
        except (jinja2.TemplateError, TypeError, ValueError, AttributeError) as error:
            raise InvalidInput(f"{where}: its date {template!r} has no value: {error}") from error
    try:
        return parse_instant(text)
    except InvalidInput as error:
        raise InvalidInput(f"{where}: {error}") from error
