"""What a task process does around ``execute_task``: from just after the fork to its exit.

It leaves by ``os._exit``: finalising an interpreter that was forked warm costs five times the
task itself (engine findings, section 9). So it flushes, joins threads and runs exit handlers
on its own, after the result is on its way.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from ...sdk import task_runtime
from ...sdk.configuration import conf
from ...sdk.context import get_current_context
from ...sdk.exceptions import AirflowException, AirflowTaskTerminated
from . import process_hygiene, protocol, task_output
from .client import SocketRuntime, SupervisorGone
from .execute import execute_task
from .forked_copies import leave_sigterm_behind
from .outcome import describe
from .task_spec import TaskResult, decode_spec

if TYPE_CHECKING:
    from ...sdk.dag import DAG

log = logging.getLogger("tradewind.task")


def prepare_forked_process(parent_pid: int, changed_signals: Sequence[int]) -> None:
    """Cut every tie to the host but the one that kills this process when the host dies.

    Args:
        changed_signals: those that the host does not leave to their default action.
    """
    os.setpgid(0, 0)
    process_hygiene.reset_signals(changed_signals)
    process_hygiene.die_with_parent(parent_pid)
    process_hygiene.reseed_random()


def run(
    order: protocol.RunTask,
    *,
    connection: socket.socket,
    output: int,
    journal: int,
    dags: Mapping[str, DAG],
    content_hash: str,
) -> NoReturn:
    """Run one task instance to its end, send the result, and leave the process.

    Args:
        connection: to the runner.
        output: write end of the pipe for all that is said; ``install_output`` was called before.
        journal: where it is noted that user code begins.
        dags: of the file, by id.
        content_hash: of the file.
    """
    code = 1
    runtime = SocketRuntime(connection, order.nonce)
    runtime.serve_forks()
    try:
        mark_process(order.key)
        task_output.connect_output(output)
        task_runtime.current = runtime
        result = _execute(order, dags, runtime, journal)
        result.code_hash = content_hash
        _tell(result, runtime)
        code = 0
    except SupervisorGone as error:
        with contextlib.suppress(Exception):  # no one is left who could be told, or user code
            log.error("The result cannot be handed over: %s", error)  # closed the connection
    except BaseException:
        with contextlib.suppress(Exception):
            log.exception("The task process failed outside the task")
    leave(code, runtime)


def _tell(result: TaskResult, runtime: SocketRuntime) -> None:
    try:
        runtime.send(protocol.Result(result=result))
    except SupervisorGone:
        raise
    except Exception as error:  # noqa: BLE001 - values of user code that no message can hold
        reason = f"the result of the task cannot be handed over: {describe(error)}"
        log.error("%s", reason)
        failure = TaskResult(outcome="failed", reason=reason, has_run_callbacks=False)
        failure.code_hash = result.code_hash
        runtime.send(protocol.Result(result=failure))


def mark_process(key: str) -> None:
    """Make this process and all it starts recognisable as belonging to one attempt.

    The environment reaches programs that it starts, the name reaches processes that it forks.
    """
    os.environ[protocol.ATTEMPT_VARIABLE] = key
    process_hygiene.set_process_name(process_hygiene.TASK_NAME_PREFIX + key)


def leave(code: int, runtime: SocketRuntime | None = None) -> NoReturn:
    """Do what the end of an interpreter would do for user code, and not the rest of it.

    Args:
        runtime: is told that this process is leaving.
    """
    _limit_leaving(code, runtime)
    with contextlib.suppress(BaseException):
        threading._shutdown()  # type: ignore[attr-defined]  # joins threads that are no daemons
    with contextlib.suppress(BaseException):
        atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    if runtime is not None:
        _say_goodbye(runtime, code)
    os._exit(code)


def _limit_leaving(code: int, runtime: SocketRuntime | None) -> None:
    """Wait for threads and exit handlers of the task no longer than is allowed.

    Its result is known and its slot is taken. Airflow 3 does not wait for them at all, and kills
    what has not ended by then.
    """
    limit_s = conf.getfloat("core", "task_success_overtime", fallback=20.0)
    pid = os.getpid()

    def give_up(number: int, frame: FrameType | None) -> None:
        if os.getpid() == pid:
            with contextlib.suppress(BaseException):
                log.error(
                    "The task ended %g s ago, and its threads or exit handlers still run: they "
                    "are stopped ([core] task_success_overtime)",
                    limit_s,
                )
            if runtime is not None:
                _say_goodbye(runtime, code)
        os._exit(code)

    with contextlib.suppress(Exception):
        signal.signal(signal.SIGALRM, give_up)
        signal.setitimer(signal.ITIMER_REAL, limit_s)


def _say_goodbye(runtime: SocketRuntime, code: int) -> None:
    """Close what the runner reads to its end, and tell it not to wait for the kernel."""
    for descriptor in (1, 2):
        with contextlib.suppress(OSError):  # user code may have closed it
            os.close(descriptor)
    with contextlib.suppress(SupervisorGone):
        runtime.send(protocol.Leaving(exit_code=code))


def _execute(
    order: protocol.RunTask, dags: Mapping[str, DAG], runtime: SocketRuntime, journal: int
) -> TaskResult:
    spec = decode_spec(order.spec)
    try:
        dag = dags.get(spec.dag_id)
        if dag is None:
            raise AirflowException(
                f"DAG {spec.dag_id!r} is not in {spec.relative_fileloc}; "
                f"the file has {', '.join(sorted(map(repr, dags))) or 'no DAG'}"
            )
        task = dag.get_task(spec.task_id)
    except Exception as error:  # noqa: BLE001 - what user code's objects raise is not ours to know
        log.error("Cannot find the task to run: %s", error)
        return TaskResult(outcome="absent", reason=str(error), has_run_callbacks=False)
    _stop_on_sigterm()
    # From here on the try is used. Said to the runner for its clocks; written down for the
    # case that the runner dies before it reads this.
    with contextlib.suppress(OSError):  # a full disk: the try counts as used in any case
        os.write(journal, f"{order.key}\n".encode())
        os.close(journal)
    runtime.entered()
    return execute_task(
        dag=dag, task=task, spec=spec, runtime=runtime, log=log, is_own_process=True
    )


def report_failure(
    connection: socket.socket, order: protocol.RunTask, reason: str, *, is_absent: bool = False
) -> None:
    """Send the result of an attempt whose file could not be imported, or is not there."""
    outcome = "absent" if is_absent else "failed"
    with contextlib.suppress(SupervisorGone):
        runtime = SocketRuntime(connection, order.nonce)
        result = TaskResult(outcome=outcome, reason=reason, has_run_callbacks=False)
        runtime.send(protocol.Result(result=result))


def _stop_on_sigterm() -> None:
    pid = os.getpid()

    def stop(number: int, frame: FrameType | None) -> None:
        if os.getpid() != pid:  # forked by foreign code, which calls none of Python's hooks
            os._exit(128 + number)
        signal.signal(number, signal.SIG_IGN)
        log.error("Received SIGTERM. Terminating subprocesses.")
        try:
            get_current_context()["task"].on_kill()
        except Exception:  # noqa: BLE001 - user code, or none is running; the task ends anyway
            log.error("on_kill failed:\n%s", traceback.format_exc())
        raise AirflowTaskTerminated("Task received SIGTERM signal")

    signal.signal(signal.SIGTERM, stop)
    leave_sigterm_behind(stop)
