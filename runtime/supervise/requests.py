"""Answers what user code asks for through ``TaskRuntime``, from the store.

Used by the runner for task processes and hosts, and by the parser manager for parser children,
which have no task instance: ``scope`` is then None, and only Variables and Connections make
sense. An outage of the database is not answered but raised: whoever called asks again later.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ...database.errors import DagInactive, DagNotFound, DagRunExists
from ...database.new_runs import new_run
from ...database.selections import Selection
from ...database.values import Claim, RunRow
from ...planning.plan_runs import PlannedRun, check_run_type, manual_run
from ...planning.run_ids import check_run_id
from ...sdk.configuration import conf as settings
from ...sdk.errors import TradewindError
from ...sdk.run_conf import ConfDoesNotFit, check_conf
from ...sdk.states import RunType
from ...sdk.timetables.registry import CustomTimetable, deserialize_timetable
from ..task.recorded_inputs import fingerprint_connection, fingerprint_value
from .outages import DATABASE_AWAY
from .processes import Reply

if TYPE_CHECKING:
    from ...database.store import Store
    from ...sdk.serialized import SerializedDag

log = logging.getLogger(__name__)

#: Most events that one question of a task is answered with; it can ask for others by their time.
ASSET_EVENTS_MAX = 10_000


@dataclass(frozen=True, slots=True)
class RequestScope:
    """The attempt that asks. What it writes counts only while it holds its task instance."""

    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    try_number: int
    task_instance_id: int
    epoch: int

    @property
    def actor(self) -> str:
        """Who stands in the log of events."""
        return f"task:{self.dag_id}.{self.task_id}"


def scope_of(claim: Claim) -> RequestScope:
    """Return the scope of a claimed attempt."""
    return RequestScope(
        dag_id=claim.dag_id,
        run_id=claim.run_id,
        task_id=claim.task_id,
        map_index=claim.map_index,
        try_number=claim.try_number,
        task_instance_id=claim.task_instance_id,
        epoch=claim.epoch,
    )


def answer(
    method: str,
    arguments: Mapping[str, Any],
    store: Store,
    scope: RequestScope | None,
    now: datetime,
) -> Reply:
    """Return the answer to one request; a wrong request is answered with an error.

    Raises:
        DATABASE_AWAY: the database cannot be reached now.
    """
    handler = _HANDLERS.get(method)
    if handler is None:
        return Reply(error=f"there is no request {method!r}")
    try:
        return Reply(value=handler(_Asked(store, scope, now), **arguments))
    except DATABASE_AWAY:
        raise
    except TradewindError as error:
        return Reply(error=str(error))
    except Exception as error:
        # Whatever user code sent: it must end that request, and never the runner.
        log.exception("a request failed", extra={"method": method})
        return Reply(error=f"{method}: {error}")


class NotInTask(TradewindError):
    """Something was asked for that only a running task has."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """One request: where to look, for whom, and when."""

    store: Store
    scope: RequestScope | None
    now: datetime

    @property
    def actor(self) -> str:
        return self.scope.actor if self.scope is not None else "parser"

    def own_scope(self) -> RequestScope:
        if self.scope is None:
            raise NotInTask("only a running task can ask for this")
        return self.scope

    # -- XCom ------------------------------------------------------------------------------------

    def set_xcom(self, **arguments: Any) -> None:
        scope = self.own_scope()
        holder = (scope.task_instance_id, scope.epoch)
        if not self.store.xcoms.set(**arguments, now=self.now, holder=holder):
            raise NotInTask("this attempt is over: its task instance was cleared or marked")

    def get_xcoms(self, **arguments: Any) -> list[dict[str, Any]]:
        return [
            {
                "run_id": row.run_id,
                "task_id": row.task_id,
                "map_index": row.map_index,
                "key": row.key,
                "value": row.value,
            }
            for row in self.store.xcoms.get_many(**arguments)
        ]

    def delete_xcoms(self, **arguments: Any) -> None:
        self.own_scope()
        self.store.xcoms.delete(**arguments)

    # -- Variables and Connections ---------------------------------------------------------------

    def get_variable(self, key: str) -> str | None:
        found = self.store.variables.get(key)
        return None if found is None else found.value

    def set_variable(self, key: str, value: str, description: str | None) -> None:
        self.store.variables.set(key, value, description, now=self.now, actor=self.actor)

    def delete_variable(self, key: str) -> bool:
        return self.store.variables.delete(key, now=self.now, actor=self.actor)

    def get_variable_keys(self, prefix: str) -> list[str]:
        return self.store.variables.keys(prefix)

    def get_connection(self, conn_id: str) -> Mapping[str, Any] | None:
        return self.store.connections.get(conn_id)

    def have_values_changed(
        self, variables: Mapping[str, str], connections: Mapping[str, str]
    ) -> bool:
        """Whether a value is not the one whose mark was taken when a host asked for it."""
        return any(
            fingerprint_value(key, self.get_variable(key)) != seen
            for key, seen in variables.items()
        ) or any(
            fingerprint_connection(conn_id, self.get_connection(conn_id)) != seen
            for conn_id, seen in connections.items()
        )

    # -- runs ------------------------------------------------------------------------------------

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
    ) -> dict[str, Any]:
        """Create a run, or clear the one that exists where *reset* says so."""
        try:
            row = self.store.dags.get(dag_id)
            if not row.is_active:
                raise DagInactive(dag_id)
            if fail_when_paused and row.is_paused:
                return _not_created(run_id, f"Dag {dag_id} is paused")
            dag = self.store.dags.serialized(dag_id)
            planned = self._plan(dag, run_id, logical_date, run_after, conf)
        except (DagNotFound, DagInactive, ConfDoesNotFit, ValueError) as error:
            return _not_created(run_id, str(error))
        new = new_run(
            dag_id, planned, conf=conf, triggered_by="operator", note=note, external_trigger=True
        )
        try:
            self.store.runs.create(new, self.now, actor=self.actor)
        except DagRunExists as exists:
            found = exists.run_id or planned.run_id
            if not reset:
                return _not_created(found, "exists")
            selection = Selection(dag_id, run_ids=[found])
            self.store.task_instances.clear(selection, self.now, self.actor)
            return _not_created(found, "")
        return {"run_id": planned.run_id, "created": True, "error": ""}

    def _plan(
        self,
        dag: SerializedDag,
        run_id: str | None,
        logical_date: datetime | None,
        run_after: datetime | None,
        conf: Mapping[str, Any] | None,
    ) -> PlannedRun:
        """Return the run that a task of another DAG starts.

        Raises:
            ConfDoesNotFit: the conf is not what the DAG's params want.
            ValueError: a run with this id, date or type is not allowed.
        """
        try:
            timetable = deserialize_timetable(dag.timetable)
        except CustomTimetable:
            timetable = None
        run_type = RunType.MANUAL if dag.dialect == "2" else RunType.OPERATOR_TRIGGERED
        check_conf(dag, conf)
        check_run_type(dag, run_type)
        if run_id is not None:
            check_run_id(run_id, run_type, settings.get("scheduler", "allowed_run_id_pattern"))
        return manual_run(
            dag,
            timetable,
            self.now,
            logical_date=logical_date,
            run_after=run_after,
            run_id=run_id,
            run_type=run_type,
            is_date_awaited=not settings.getboolean("scheduler", "allow_trigger_in_future"),
        )

    def get_dag_run(self, dag_id: str, run_id: str) -> dict[str, Any] | None:
        return _fields(self.store.runs.find(dag_id, run_id))

    def get_previous_dag_run(
        self, dag_id: str, logical_date: datetime, state: str | None
    ) -> dict[str, Any] | None:
        return _fields(self.store.runs.previous(dag_id, logical_date, state))

    def count_dag_runs(self, **conditions: Any) -> int:
        return self.store.runs.count_matching(**conditions)

    # -- task instances --------------------------------------------------------------------------

    def count_task_instances(
        self, *, dag_id: str, task_group_id: str | None, **conditions: Any
    ) -> int:
        conditions["task_ids"] = self._within(dag_id, task_group_id, conditions.get("task_ids"))
        return self.store.task_instances.count(dag_id=dag_id, **conditions)

    def get_task_states(
        self, *, dag_id: str, task_group_id: str | None = None, **conditions: Any
    ) -> dict[str, dict[str, str]]:
        conditions["task_ids"] = self._within(dag_id, task_group_id, conditions.get("task_ids"))
        return self.store.task_instances.states(dag_id=dag_id, **conditions)

    def _within(
        self, dag_id: str, task_group_id: str | None, task_ids: Sequence[str] | None
    ) -> Sequence[str] | None:
        """Return those of *task_ids* (None: all) that are inside of a group, at any depth."""
        if task_group_id is None:
            return task_ids
        return [
            task.task_id
            for task in self.store.dags.serialized(dag_id).tasks
            if (task.group_id == task_group_id or task.group_id.startswith(f"{task_group_id}."))
            and (task_ids is None or task.task_id in task_ids)
        ]

    # -- assets ----------------------------------------------------------------------------------

    def get_asset_events(
        self,
        *,
        limit: int | None,
        after: datetime | None,
        before: datetime | None,
        **wanted: Any,
    ) -> list[dict[str, Any]]:
        rows = self.store.assets.events(
            after=after, before=before, limit=ASSET_EVENTS_MAX if limit is None else limit, **wanted
        )
        return [asdict(row) for row in rows]

    def get_triggering_asset_events(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        return [asdict(row) for row in self.store.assets.consumed(dag_id, run_id)]

    def find_asset(self, name: str | None, uri: str | None) -> dict[str, Any] | None:
        row = self.store.assets.find(name=name, uri=uri)
        return None if row is None else asdict(row)

    def find_inactive_assets(self, assets: Sequence[Sequence[str]]) -> list[list[str]]:
        inactive = self.store.assets.inactive([(name, uri) for name, uri in assets])
        return [list(one) for one in inactive]

    def save_rendered_fields(self, fields: Mapping[str, Any]) -> None:
        scope = self.own_scope()
        self.store.task_instances.save_rendered_fields(
            scope.task_instance_id, scope.try_number, fields
        )

    def get_trace_text(self) -> str:
        scope = self.own_scope()
        # Mails carry it, so it is an address also where nobody set one.
        base_url = settings.get("api", "base_url", fallback="") or (
            f"http://localhost:{settings.getint('api', 'port', fallback=8080)}"
        )
        place = f"/dags/{scope.dag_id}/runs/{scope.run_id}/tasks/{scope.task_id}"
        if scope.map_index >= 0:
            place += f"/mapped/{scope.map_index}"
        return base_url.rstrip("/") + place


_HANDLERS: Mapping[str, Callable[..., Any]] = {
    name: getattr(_Asked, name)
    for name in (
        "set_xcom",
        "get_xcoms",
        "delete_xcoms",
        "get_variable",
        "set_variable",
        "delete_variable",
        "get_variable_keys",
        "get_connection",
        "have_values_changed",
        "trigger_dag_run",
        "get_dag_run",
        "get_previous_dag_run",
        "count_dag_runs",
        "count_task_instances",
        "get_task_states",
        "get_asset_events",
        "get_triggering_asset_events",
        "find_asset",
        "find_inactive_assets",
        "save_rendered_fields",
        "get_trace_text",
    )
}


def _fields(row: RunRow | None) -> dict[str, Any] | None:
    return None if row is None else asdict(row)


def _not_created(run_id: str | None, error: str) -> dict[str, Any]:
    return {"run_id": run_id or "", "created": False, "error": error}
