"""The one slot through which ``sdk`` asks for what lives above it.

XCom, Variables, Connections, other runs: user code asks for them in a task process (answered by
the runner over a socket), in a parser child (answered by the parser manager), or in
``dag.test()`` (answered in this process). Whoever runs user code sets ``current`` first.
With an empty slot, Variables and Connections are still found in the environment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol


class TaskRuntime(Protocol):
    """What code below ``runtime`` may ask for. Values are plain; instants aware UTC.

    XCom values cross this interface encoded (``sdk.xcom_serialization``: JSON text).
    """

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
        """Store one XCom, replacing an older one. ``length``: elements of a list or dict."""

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
        """Return matching XComs: newest run first, then in order of task_ids, then map index.

        With ``task_ids=None`` those of all tasks, the one that was pushed last first.
        """

    def delete_xcoms(self, *, dag_id: str, run_id: str, task_id: str, map_index: int) -> None:
        """Remove what earlier tries of this task instance pushed."""

    def get_variable(self, key: str) -> str | None:
        """Return a stored variable's text (the environment has been asked before), or None."""

    def set_variable(self, key: str, value: str, description: str | None) -> None:
        """Create or replace a variable."""

    def delete_variable(self, key: str) -> bool:
        """Remove a variable; False where there was none."""

    def get_variable_keys(self, prefix: str) -> list[str]:
        """Return the keys of stored variables that begin with *prefix*, in order."""

    def get_connection(self, conn_id: str) -> Mapping[str, Any] | None:
        """Return a stored connection's fields (``Connection.from_fields``), or None."""

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
        """Create a run. Returns ``{"run_id", "created": bool, "error": "" | "exists" | text}``."""

    def get_dag_run(self, *, dag_id: str, run_id: str) -> Mapping[str, Any] | None:
        """Return one run's fields (names as columns of ``dag_run``), or None."""

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
        """Count task instances that match all given conditions."""

    def count_dag_runs(
        self,
        *,
        dag_id: str,
        logical_dates: Sequence[datetime] | None,
        run_ids: Sequence[str] | None,
        states: Sequence[str] | None,
    ) -> int:
        """Count one DAG's runs that match all given conditions."""

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
        """Return run id → task id (``task_id[map_index]`` where mapped) → state.

        Runs are named by their ids, or by their logical dates.
        """

    def get_previous_dag_run(
        self, *, dag_id: str, logical_date: datetime, state: str | None
    ) -> Mapping[str, Any] | None:
        """Return the latest run with a smaller logical date (and this state), or None."""

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
        """Return past events of an asset, or of those made through an alias.

        Each has id, name, uri, group, at, extra, aliases, and source_dag_id, source_run_id,
        source_task_id, source_map_index.
        """

    def get_triggering_asset_events(self, *, dag_id: str, run_id: str) -> list[Mapping[str, Any]]:
        """Return the events that made a run, as ``get_asset_events`` does."""

    def find_asset(self, *, name: str | None, uri: str | None) -> Mapping[str, Any] | None:
        """Return name, uri, group and extra of an asset, or None."""

    def find_inactive_assets(self, *, assets: Sequence[Sequence[str]]) -> list[Sequence[str]]:
        """Return those of (name, URI) whose name or URI belongs to another asset now."""

    def save_rendered_fields(self, fields: Mapping[str, Any]) -> None:
        """Keep this try's rendered template fields for display."""

    def get_trace_text(self) -> str:
        """Return where log and page of this task instance can be seen (``ti.log_url``)."""

    def executing(self) -> None:
        """Hear that ``execute`` begins: the time limit of the task counts from here."""

    def mask(self, values: Sequence[str]) -> None:
        """Keep *values* out of the log from now on."""


class XComRow(Protocol):
    """One stored XCom as ``get_xcoms`` returns it. ``value`` is encoded."""

    run_id: str
    task_id: str
    map_index: int
    key: str
    value: str


#: Set by whoever runs user code; None in a plain script until ``dag.test()`` fills it.
current: TaskRuntime | None = None
