"""The dag run as user code sees it: ``context["dag_run"]``. Semantics section 9.2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from . import task_runtime
from .states import DagRunState, RunType
from .timezone import coerce_datetime, utc

Member = TypeVar("Member", bound=StrEnum)

_INSTANTS = frozenset(
    {
        "logical_date",
        "data_interval_start",
        "data_interval_end",
        "run_after",
        "queued_at",
        "start_date",
        "end_date",
        "created_at",
        "partition_date",
    }
)
#: What the columns are called below, and what user code calls them.
_OTHER_NAMES = {
    "execution_date": "logical_date",
    "triggering_user_name": "triggering_user",
    "creating_job_id": "",
    "dag_hash": "",
    "partition_key": "",
    "id": "id",
}


class DagRun:
    """One dag run, read only. Instants are pendulum's, in UTC."""

    def __init__(self, dag_id: str, run_id: str, fields: Mapping[str, Any]) -> None:
        self.dag_id = dag_id
        self.run_id = run_id
        self._fields = fields
        self._instants: dict[str, Any] = {}

    @property
    def conf(self) -> dict[str, Any]:
        """What the run was triggered with; empty where nothing was given."""
        return self._fields.get("conf") or {}

    @property
    def run_type(self) -> RunType | str:
        """Why the run exists."""
        return _member(RunType, self._fields.get("run_type") or "manual")

    @property
    def state(self) -> DagRunState | str:
        """Where the run stood when this was read."""
        return _member(DagRunState, self._fields.get("state") or "running")

    @property
    def external_trigger(self) -> bool:
        """Whether something other than the schedule made the run."""
        return bool(self._fields.get("external_trigger", False))

    @property
    def clear_number(self) -> int:
        """How often the run was cleared."""
        return int(self._fields.get("clear_number") or 0)

    @property
    def is_backfill(self) -> bool:
        """Whether a backfill made the run."""
        return self.run_type == RunType.BACKFILL

    @property
    def consumed_asset_events(self) -> list[Any]:
        """The asset events that made the run."""
        from .past_asset_events import events_of_run

        return list(events_of_run(self))

    consumed_dataset_events = consumed_asset_events

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        column = _OTHER_NAMES.get(name, name)
        if name == "start_date" and "start_date" not in self._fields:
            column = "started_at"
        if name == "end_date" and "end_date" not in self._fields:
            column = "ended_at"
        if name in _INSTANTS or column in _INSTANTS:
            if name not in self._instants:
                self._instants[name] = to_pendulum(self._fields.get(column))
            return self._instants[name]
        if column in self._fields:
            return self._fields[column]
        if name in _OTHER_NAMES or name in ("note", "triggered_by", "triggering_user"):
            return None
        raise AttributeError(f"a dag run has no {name!r} in a task")

    def get_task_instances(self, state: Any = None) -> list[TaskInstanceView]:
        """Return the task instances of the run (with one of these states)."""
        if task_runtime.current is None:
            return []
        found = task_runtime.current.get_task_states(
            dag_id=self.dag_id, run_ids=[self.run_id], task_ids=None
        )
        wanted = None if state is None else {str(s) for s in _as_list(state)}
        views = [
            TaskInstanceView(self, *split_task_key(key), text)
            for key, text in found.get(self.run_id, {}).items()
        ]
        return [view for view in views if wanted is None or str(view.state) in wanted]

    def get_task_instance(self, task_id: str, map_index: int = -1) -> TaskInstanceView | None:
        """Return one task instance of the run, or None."""
        for view in self.get_task_instances():
            if view.task_id == task_id and view.map_index == map_index:
                return view
        return None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, DagRun):
            return NotImplemented
        return (self.dag_id, self.run_id) == (other.dag_id, other.run_id)

    def __hash__(self) -> int:
        return hash((self.dag_id, self.run_id))

    def __repr__(self) -> str:
        return f"<DagRun {self.dag_id} @ {self.logical_date}: {self.run_id}, state:{self.state}>"


class TaskInstanceView:
    """A task instance of the same run, as callbacks look at it."""

    def __init__(self, dag_run: DagRun, task_id: str, map_index: int, state: str | None) -> None:
        self.dag_run = dag_run
        self.dag_id = dag_run.dag_id
        self.run_id = dag_run.run_id
        self.task_id = task_id
        self.map_index = map_index
        self.state = None if state in (None, "none") else state

    def current_state(self) -> str | None:
        """Return its state when it was read."""
        return self.state

    def __repr__(self) -> str:
        return f"<TaskInstance {self.dag_id}.{self.task_id} {self.run_id} [{self.state}]>"


def split_task_key(key: str) -> tuple[str, int]:
    """Return task id and map index of ``task_id`` or ``task_id[3]``."""
    task_id, bracket, index = key.partition("[")
    return task_id, int(index[:-1]) if bracket else -1


def to_pendulum(value: datetime | str | None) -> Any:
    """Return an instant as pendulum's class in UTC; None stays None."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    return coerce_datetime(value, utc)


def _member(kind: type[Member], value: str) -> Member | str:
    try:
        return kind(value)
    except ValueError:
        return value


def _as_list(value: Any) -> Sequence[Any]:
    return [value] if isinstance(value, str) else list(value)
