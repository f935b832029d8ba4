"""The callback child: calls what wants to hear of an end that no task process could tell.

It is forked from a zygote for one message of the outbox, imports the DAG file as a task host
does, calls, and ends. Descriptors: the socket to the parser manager, the end of a pipe that
takes all output, and the journal. Its time is limited by the manager, which kills.
Source: ``spec/semantics.md`` sections 1.8 and 5.10.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ...sdk import task_runtime
from ...sdk.errors import TradewindError
from ...sdk.states import TaskInstanceState
from . import process_hygiene, task_output
from .call_listeners import call_listeners
from .callback_messages import CallbackOrder, CallbackReport, decode_order
from .child import leave
from .client import SocketRuntime
from .dag_callbacks import call_with_context_of
from .dag_file import load_dag_file, prepare_import_paths
from .deadline_call import call_deadline
from .failure_mail import send_failure_mail
from .late_callbacks import call_back, context_after
from .sla_call import tell_of_slas
from .surroundings import task_surroundings

if TYPE_CHECKING:
    from ...sdk.dag import DAG

log = logging.getLogger("tradewind.task")


class NoSuchCallback(TradewindError):
    """The file no longer declares what was to be called."""


def main(payload: bytes, fds: Sequence[int]) -> None:
    """Serve one order; called by the zygote in the forked child."""
    os.setsid()  # what a callback starts is killed with it, by its group
    connection, journal = (process_hygiene.keep_safe(fd) for fd in (fds[0], fds[2]))
    task_output.connect_output(fds[1])
    task_output.install_output(*task_output.log_settings())
    process_hygiene.set_process_name("tradewind-call")
    sys.argv = ["tradewind"]
    order = decode_order(payload)
    runtime = SocketRuntime(socket.socket(fileno=connection))
    report = CallbackReport()
    try:
        report.deadline_at = deliver(order, runtime)
    except BaseException as error:
        log.exception("The callbacks cannot be called")
        report.error = f"{type(error).__name__}: {error}"
    else:
        # Before it is said: a manager that dies now must not have them called again.
        with contextlib.suppress(OSError):
            if report.deadline_at is None:
                os.write(journal, f"{order.key}\n".encode())
    with contextlib.suppress(Exception):  # nobody is left who could be told
        runtime.send(report)  # type: ignore[arg-type]
    leave(0)


def deliver(order: CallbackOrder, runtime: task_runtime.TaskRuntime) -> datetime | None:
    """Import the file and call what *order* names; exceptions of callbacks are logged.

    Returns:
        The deadline that has become known, and is yet to come: nothing was called. Else None.

    Raises:
        NoSuchCallback: the file has no such DAG or task any more.
        BaseException: whatever importing the file raises.
    """
    folders = [Path(folder) for folder in order.import_folders]
    prepare_import_paths(folders)
    task_runtime.current = runtime
    if order.kind == "listeners":
        call_listeners(order.events)
        return None
    dag = _find_dag(load_dag_file(Path(order.path), folders).dags, order)
    state = TaskInstanceState(order.state)
    with task_surroundings(runtime):
        if order.kind == "deadline":
            return call_deadline(dag, order.deadline)
        if order.kind == "sla_miss":
            tell_of_slas(dag, order.slas)
            return None
        if order.kind.startswith("dag_"):
            call_with_context_of(
                dag,
                order.spec,
                state,
                is_success=order.kind == "dag_success",
                reason=order.reason,
                run_id=order.run_id,
                runtime=runtime,
            )
            return None
        if order.spec is None or not dag.has_task(order.spec.task_id):
            raise NoSuchCallback(f"DAG {order.dag_id!r} no longer has the task")
        task = dag.get_task(order.spec.task_id)
        if order.kind.endswith("_mail"):
            context = context_after(
                dag=dag, task=task, spec=order.spec, runtime=runtime, log=log, state=state
            )
            send_failure_mail(task, context, reason=order.reason, traceback=order.traceback)
            return None
        call_back(
            dag=dag,
            task=task,
            spec=order.spec,
            runtime=runtime,
            log=log,
            state=state,
            reason=order.reason,
        )
    return None


def _find_dag(dags: Mapping[str, DAG], order: CallbackOrder) -> DAG:
    dag = dags.get(order.dag_id)
    if dag is None:
        raise NoSuchCallback(f"DAG {order.dag_id!r} is not in {order.relative_path} any more")
    return dag
