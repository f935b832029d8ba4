"""``SocketRuntime``: what user code asks for, asked of the supervisor over a socket.

Task processes hold no database credentials; this is their only way to XCom, Variables and
Connections. The same class serves task processes, task hosts and parser children.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from ...sdk.errors import TradewindError
from ...sdk.task_runtime import XComRow
from . import frames, protocol

#: How long a fork waits for a request that is on its way, in seconds.
FORK_WAIT_S = 5.0


class RequestRefused(TradewindError):
    """The supervisor could not answer; the text says why."""


class SupervisorGone(TradewindError):
    """There is no one left to ask."""


class StoredXCom(msgspec.Struct):
    """One XCom as the supervisor sends it (``sdk.task_runtime.XComRow``)."""

    run_id: str
    task_id: str
    map_index: int
    key: str
    value: str


class SocketRuntime:
    """A ``TaskRuntime`` whose answers come from the other end of *connection*.

    Threads of user code may ask at the same time. Processes that it forks may not share one
    connection, because they would read each other's answers: see ``serve_forks``.
    """

    def __init__(self, connection: socket.socket, nonce: bytes = b"") -> None:
        self._connection = connection
        self._nonce = nonce
        self._lock = threading.Lock()
        self._pid = os.getpid()
        self._forking_thread: int | None = None
        self._of_next_fork: socket.socket | None = None

    def serve_forks(self) -> None:
        """Give each process that is forked from now on a connection of its own to ask over."""
        os.register_at_fork(
            before=self._before_fork,
            after_in_parent=self._after_fork_in_parent,
            after_in_child=self._after_fork_in_child,
        )

    def _before_fork(self) -> None:
        # No thread may be in the middle of a message. One that this very thread interrupted (a
        # signal's handler forks) never gets on meanwhile: then the copy has no connection.
        if not self._lock.acquire(timeout=FORK_WAIT_S):
            return
        self._forking_thread = threading.get_ident()
        if os.getpid() != self._pid:
            return
        try:
            mine, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
            with other:
                message = self._nonce + protocol.encode(protocol.Join())
                frames.send(self._connection, message, [other.fileno()])
            self._of_next_fork = mine
        except (frames.ConnectionLost, OSError):
            self._of_next_fork = None

    def _after_fork_in_parent(self) -> None:
        if self._forking_thread != threading.get_ident():
            return
        self._forking_thread = None
        if self._of_next_fork is not None:
            self._of_next_fork.close()
            self._of_next_fork = None
        self._lock.release()

    def _after_fork_in_child(self) -> None:
        is_mine = self._forking_thread == threading.get_ident()
        self._forking_thread = None
        self._lock = threading.Lock()
        if is_mine and self._of_next_fork is not None:
            self._connection.close()
            self._connection, self._of_next_fork = self._of_next_fork, None
            self._pid = os.getpid()

    # -- what is sent without waiting ---------------------------------------------------------

    def send(self, message: protocol.TaskMessage) -> None:
        """Send one message that has no answer.

        Raises:
            SupervisorGone: the other side has closed.
        """
        try:
            with self._lock:
                frames.send(self._connection, self._nonce + protocol.encode(message))
        except (frames.ConnectionLost, OSError) as error:
            raise SupervisorGone("the runner of this task is gone") from error

    def entered(self) -> None:
        """Tell that user code begins."""
        self.send(protocol.Entered())

    def executing(self) -> None:
        """Tell that ``execute`` begins; its time limit counts from here."""
        self.send(protocol.Executing())

    def mask(self, values: Sequence[str]) -> None:
        """Keep *values* out of this task's log."""
        self.send(protocol.Mask(values=list(values)))

    # -- TaskRuntime: meanings stand in ``sdk.task_runtime`` ------------------------------------

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
        self._ask(
            "set_xcom",
            dag_id=dag_id,
            run_id=run_id,
            task_id=task_id,
            map_index=map_index,
            key=key,
            value=value,
            length=length,
        )

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
        rows = self._ask(
            "get_xcoms",
            dag_id=dag_id,
            run_id=run_id,
            task_ids=_plain(task_ids),
            key=key,
            map_indexes=_plain(map_indexes),
            include_prior_dates=include_prior_dates,
        )
        return list(msgspec.convert(rows, list[StoredXCom]))

    def delete_xcoms(self, *, dag_id: str, run_id: str, task_id: str, map_index: int) -> None:
        self._ask(
            "delete_xcoms", dag_id=dag_id, run_id=run_id, task_id=task_id, map_index=map_index
        )

    def get_variable(self, key: str) -> str | None:
        value: str | None = self._ask("get_variable", key=key)
        return value

    def set_variable(self, key: str, value: str, description: str | None) -> None:
        self._ask("set_variable", key=key, value=value, description=description)

    def delete_variable(self, key: str) -> bool:
        return bool(self._ask("delete_variable", key=key))

    def get_variable_keys(self, prefix: str) -> list[str]:
        return list(self._ask("get_variable_keys", prefix=prefix))

    def get_connection(self, conn_id: str) -> Mapping[str, Any] | None:
        fields: Mapping[str, Any] | None = self._ask("get_connection", conn_id=conn_id)
        return fields

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
        answer: Mapping[str, Any] = self._ask(
            "trigger_dag_run",
            dag_id=dag_id,
            run_id=run_id,
            logical_date=logical_date,
            run_after=run_after,
            conf=None if conf is None else dict(conf),
            reset=reset,
            note=note,
            fail_when_paused=fail_when_paused,
        )
        return answer

    def get_dag_run(self, *, dag_id: str, run_id: str) -> Mapping[str, Any] | None:
        fields: Mapping[str, Any] | None = self._ask("get_dag_run", dag_id=dag_id, run_id=run_id)
        return fields

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
        return int(
            self._ask(
                "count_task_instances",
                dag_id=dag_id,
                task_ids=_plain(task_ids),
                task_group_id=task_group_id,
                logical_dates=_plain(logical_dates),
                run_ids=_plain(run_ids),
                states=None if states is None else [str(state) for state in states],
                map_index=map_index,
            )
        )

    def count_dag_runs(
        self,
        *,
        dag_id: str,
        logical_dates: Sequence[datetime] | None,
        run_ids: Sequence[str] | None,
        states: Sequence[str] | None,
    ) -> int:
        return int(
            self._ask(
                "count_dag_runs",
                dag_id=dag_id,
                logical_dates=_plain(logical_dates),
                run_ids=_plain(run_ids),
                states=None if states is None else [str(state) for state in states],
            )
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
        states: dict[str, dict[str, str]] = self._ask(
            "get_task_states",
            dag_id=dag_id,
            run_ids=_plain(run_ids),
            task_ids=_plain(task_ids),
            logical_dates=_plain(logical_dates),
            task_group_id=task_group_id,
            map_index=map_index,
        )
        return states

    def get_previous_dag_run(
        self, *, dag_id: str, logical_date: datetime, state: str | None
    ) -> Mapping[str, Any] | None:
        fields: Mapping[str, Any] | None = self._ask(
            "get_previous_dag_run", dag_id=dag_id, logical_date=logical_date, state=state
        )
        return fields

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
        return list(
            self._ask(
                "get_asset_events",
                name=name,
                uri=uri,
                alias=alias,
                after=after,
                before=before,
                is_ascending=is_ascending,
                limit=limit,
            )
        )

    def get_triggering_asset_events(self, *, dag_id: str, run_id: str) -> list[Mapping[str, Any]]:
        return list(self._ask("get_triggering_asset_events", dag_id=dag_id, run_id=run_id))

    def find_asset(self, *, name: str | None, uri: str | None) -> Mapping[str, Any] | None:
        found: Mapping[str, Any] | None = self._ask("find_asset", name=name, uri=uri)
        return found

    def find_inactive_assets(self, *, assets: Sequence[Sequence[str]]) -> list[Sequence[str]]:
        return list(self._ask("find_inactive_assets", assets=[list(one) for one in assets]))

    def save_rendered_fields(self, fields: Mapping[str, Any]) -> None:
        self._ask("save_rendered_fields", fields=dict(fields))

    def get_trace_text(self) -> str:
        return str(self._ask("get_trace_text"))

    # -------------------------------------------------------------------------------------------

    def _ask(self, method: str, **arguments: Any) -> Any:
        if os.getpid() != self._pid:
            raise RequestRefused(
                f"{method}: this process was forked without a connection to the runner, so it "
                "cannot ask; ask in the task and hand the values over"
            )
        try:
            with self._lock:
                request = protocol.Ask(method=method, arguments=arguments)
                frames.send(self._connection, self._nonce + protocol.encode(request))
                message, _ = frames.receive(self._connection)
        except (frames.ConnectionLost, OSError) as error:
            raise SupervisorGone("the runner of this task is gone") from error
        answer = protocol.decode_answer(message)
        if answer.error:
            raise RequestRefused(answer.error)
        return answer.value


def _plain(values: Sequence[Any] | None) -> list[Any] | None:
    return None if values is None else list(values)
