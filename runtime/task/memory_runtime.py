"""``MemoryRuntime``: what user code asks for, answered from dictionaries of this process.

``dag.test()`` needs no server, no database and no set-up: XComs and states live as long as the
run. Variables and Connections come from files or from whoever starts the run.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ...sdk.task_runtime import XComRow

log = logging.getLogger(__name__)


@dataclass(slots=True)
class MemoryXCom:
    """One XCom (``sdk.task_runtime.XComRow``)."""

    run_id: str
    task_id: str
    map_index: int
    key: str
    value: str
    length: int | None = None
    #: XComs are numbered in the order in which they were pushed.
    number: int = 0


@dataclass(frozen=True, slots=True)
class TaskState:
    """Where one task instance of the run stands."""

    task_id: str
    map_index: int
    group_id: str
    state: str


@dataclass(slots=True)
class MemoryRuntime:
    """A ``TaskRuntime`` of one run in memory.

    ``find_variable`` and ``find_connection`` are asked for what the dictionaries do not hold.
    """

    dag_run: Mapping[str, Any]
    list_states: Callable[[], Iterable[TaskState]]
    variables: dict[str, str] = field(default_factory=dict)
    connections: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    find_variable: Callable[[str], str | None] | None = None
    find_connection: Callable[[str], Mapping[str, Any] | None] | None = None
    rendered_fields: Mapping[str, Any] = field(default_factory=dict)
    #: What the tasks of this run have made, in order.
    asset_events: list[Mapping[str, Any]] = field(default_factory=list)
    #: Tasks of this run whose XComs have changed; who wants to know takes them away.
    pushing_task_ids: set[str] = field(default_factory=set)
    #: (dag id, run id) → task id → (map index, key) → XCom: none is searched for among all.
    _xcoms: dict[tuple[str, str], dict[str, dict[tuple[int, str], MemoryXCom]]] = field(
        default_factory=dict
    )
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _triggered: dict[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)

    # -- XCom ---------------------------------------------------------------------------------

    def set_xcom(
        self,
        *,
        dag_id: str,
        run_id: str,
        task_id: str,
        map_index: int,
        key: str,
        value: str,
        length: int | None,
    ) -> None:
        """Store one XCom."""
        of_task = self._xcoms.setdefault((dag_id, run_id), {}).setdefault(task_id, {})
        of_task[map_index, key] = MemoryXCom(
            run_id, task_id, map_index, key, value, length, next(self._numbers)
        )
        self.pushing_task_ids.add(task_id)

    def get_xcoms(
        self,
        *,
        dag_id: str,
        run_id: str,
        task_ids: Sequence[str] | None,
        key: str | None,
        map_indexes: Sequence[int] | None,
        include_prior_dates: bool,
    ) -> list[XComRow]:
        """Return matching XComs of the run; there are no prior dates in memory."""
        of_run = self._xcoms.get((dag_id, run_id), {})
        found = [
            one
            for task_id in (of_run if task_ids is None else dict.fromkeys(task_ids))
            for one in of_run.get(task_id, {}).values()
            if (key is None or one.key == key)
            and (map_indexes is None or one.map_index in map_indexes)
        ]
        found.sort(key=lambda one: -one.number)  # what was pushed last comes first
        if task_ids is not None:
            order = {id_: number for number, id_ in enumerate(task_ids)}
            found.sort(key=lambda one: (order[one.task_id], one.map_index))
        return list[XComRow](found)

    def delete_xcoms(self, *, dag_id: str, run_id: str, task_id: str, map_index: int) -> None:
        """Remove what earlier tries pushed; a task that is not mapped owns all under its id."""
        of_task = self._xcoms.get((dag_id, run_id), {}).get(task_id, {})
        for name in [name for name in of_task if map_index in (-1, name[0])]:
            del of_task[name]
            self.pushing_task_ids.add(task_id)

    def pushed_by(self, task_id: str) -> Iterable[MemoryXCom]:
        """Return the XComs of one task of this run: return values, skip marks and all others."""
        this_run = (self.dag_run["dag_id"], self.dag_run["run_id"])
        return self._xcoms.get(this_run, {}).get(task_id, {}).values()

    # -- Variables and Connections --------------------------------------------------------------

    def get_variable(self, key: str) -> str | None:
        """Return a variable's text, or None."""
        if key in self.variables:
            return self.variables[key]
        return self.find_variable(key) if self.find_variable is not None else None

    def set_variable(self, key: str, value: str, description: str | None) -> None:
        """Keep a variable for the time of this run."""
        self.variables[key] = value

    def delete_variable(self, key: str) -> bool:
        """Forget a variable of this run."""
        return self.variables.pop(key, None) is not None

    def get_variable_keys(self, prefix: str) -> list[str]:
        """Return the keys of this run's variables."""
        return sorted(key for key in self.variables if key.startswith(prefix))

    def get_connection(self, conn_id: str) -> Mapping[str, Any] | None:
        """Return a connection's fields, or None."""
        if conn_id in self.connections:
            return self.connections[conn_id]
        return self.find_connection(conn_id) if self.find_connection is not None else None

    # -- runs ---------------------------------------------------------------------------------

    def trigger_dag_run(
        self,
        *,
        dag_id: str,
        run_id: str | None,
        logical_date: datetime | None,
        run_after: datetime | None,
        conf: Mapping[str, Any] | None,
        reset: bool,
        note: str | None,
        fail_when_paused: bool,
    ) -> Mapping[str, Any]:
        """Note that a run of another DAG was asked for. It is not run: it counts as succeeded."""
        stamp: datetime = logical_date or run_after or self.dag_run["run_after"]
        named = run_id or f"manual__{stamp.isoformat()}"
        if (dag_id, named) in self._triggered and not reset:
            return {"run_id": named, "created": False, "error": "exists"}
        log.warning(
            "A test in memory runs one DAG only: the run %s of %s is taken as a success",
            named,
            dag_id,
        )
        self._triggered[dag_id, named] = {
            "dag_id": dag_id,
            "run_id": named,
            "state": "success",
            "logical_date": logical_date,
            "run_after": run_after,
            "conf": dict(conf or {}),
            "note": note,
        }
        return {"run_id": named, "created": True, "error": ""}

    def get_dag_run(self, *, dag_id: str, run_id: str) -> Mapping[str, Any] | None:
        """Return this run, or one that it triggered."""
        if (dag_id, run_id) == (self.dag_run["dag_id"], self.dag_run["run_id"]):
            return self.dag_run
        return self._triggered.get((dag_id, run_id))

    def count_task_instances(
        self,
        *,
        dag_id: str,
        task_ids: Sequence[str] | None,
        task_group_id: str | None,
        logical_dates: Sequence[datetime] | None,
        run_ids: Sequence[str] | None,
        states: Sequence[str] | None,
        map_index: int | None,
    ) -> int:
        """Count this run's task instances that match."""
        if not self._is_asked(dag_id, run_ids, logical_dates):
            return 0
        return sum(
            1
            for one in self.list_states()
            if (task_ids is None or one.task_id in task_ids)
            and (states is None or one.state in states)
            and (map_index is None or one.map_index == map_index)
            and (task_group_id is None or _is_inside(one.group_id, task_group_id))
        )

    def count_dag_runs(
        self,
        *,
        dag_id: str,
        logical_dates: Sequence[datetime] | None,
        run_ids: Sequence[str] | None,
        states: Sequence[str] | None,
    ) -> int:
        """Count this run, and those that it triggered, where they match."""
        known = [self.dag_run, *self._triggered.values()]
        return sum(
            1
            for run in known
            if run["dag_id"] == dag_id
            and (logical_dates is None or run.get("logical_date") in logical_dates)
            and (run_ids is None or run["run_id"] in run_ids)
            and (states is None or str(run.get("state", "running")) in states)
        )

    def get_task_states(
        self,
        *,
        dag_id: str,
        run_ids: Sequence[str] | None,
        task_ids: Sequence[str] | None,
        logical_dates: Sequence[datetime] | None = None,
        task_group_id: str | None = None,
        map_index: int | None = None,
    ) -> dict[str, dict[str, str]]:
        """Return the states of this run's task instances, by run id."""
        if not self._is_asked(dag_id, run_ids, logical_dates):
            return {}
        return {
            self.dag_run["run_id"]: {
                one.task_id if one.map_index < 0 else f"{one.task_id}[{one.map_index}]": one.state
                for one in self.list_states()
                if (task_ids is None or one.task_id in task_ids)
                and (map_index is None or one.map_index == map_index)
                and (task_group_id is None or _is_inside(one.group_id, task_group_id))
            }
        }

    def get_previous_dag_run(
        self, *, dag_id: str, logical_date: datetime, state: str | None
    ) -> Mapping[str, Any] | None:
        """Return None: a run in memory is the first of its DAG."""
        return None

    def _is_asked(
        self,
        dag_id: str,
        run_ids: Sequence[str] | None,
        logical_dates: Sequence[datetime] | None,
    ) -> bool:
        return (
            dag_id == self.dag_run["dag_id"]
            and (run_ids is None or self.dag_run["run_id"] in run_ids)
            and (logical_dates is None or self.dag_run["logical_date"] in logical_dates)
        )

    # -- assets -------------------------------------------------------------------------------

    def add_asset_events(
        self, events: Iterable[Mapping[str, Any]], at: datetime, task_id: str, map_index: int
    ) -> None:
        """Keep the events that a task instance of this run has made."""
        for one in events:
            self.asset_events.append(
                {
                    "id": len(self.asset_events) + 1,
                    "name": one["name"] or one["uri"],
                    "uri": one["uri"] or one["name"],
                    "group": one["group"],
                    "at": at,
                    "extra": one["extra"],
                    "aliases": list(one["aliases"]),
                    "source_dag_id": self.dag_run["dag_id"],
                    "source_run_id": self.dag_run["run_id"],
                    "source_task_id": task_id,
                    "source_map_index": map_index,
                }
            )

    def get_asset_events(
        self,
        *,
        name: str | None,
        uri: str | None,
        alias: str | None,
        after: datetime | None,
        before: datetime | None,
        is_ascending: bool,
        limit: int | None,
    ) -> list[Mapping[str, Any]]:
        """Return events that earlier tasks of this run have made."""
        found = [
            one
            for one in self.asset_events
            if (name is None or one["name"] == name)
            and (uri is None or one["uri"] == uri)
            and (alias is None or alias in one["aliases"])
            and (after is None or one["at"] >= after)
            and (before is None or one["at"] <= before)
        ]
        return (found if is_ascending else found[::-1])[:limit]

    def get_triggering_asset_events(self, *, dag_id: str, run_id: str) -> list[Mapping[str, Any]]:
        """Return none: nothing but a person makes a run in memory."""
        return []

    def find_asset(self, *, name: str | None, uri: str | None) -> Mapping[str, Any] | None:
        """Return None: a run in memory knows no other DAGs."""
        return None

    def find_inactive_assets(self, *, assets: Sequence[Sequence[str]]) -> list[Sequence[str]]:
        """Return none of them."""
        return []

    # -- what is only shown elsewhere -------------------------------------------------------------

    def save_rendered_fields(self, fields: Mapping[str, Any]) -> None:
        """Keep the last try's rendered fields."""
        self.rendered_fields = fields

    def get_trace_text(self) -> str:
        """Return '': there is no page, and the log is this process's output."""
        return ""

    def executing(self) -> None:
        """Do nothing: the alarm in this process is the only time limit."""

    def mask(self, values: Sequence[str]) -> None:
        """Do nothing: this process masks what it logs by itself."""


def _is_inside(group_id: str, wanted: str) -> bool:
    return group_id == wanted or group_id.startswith(f"{wanted}.")
