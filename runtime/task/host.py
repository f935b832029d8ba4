"""The task host: imports one DAG file, then forks a task process per request.

One process per (DAG file, content). It is forked from the zygote, single-threaded, and forks
from its main thread only: the parent-death signal of a task process follows that thread.
It never runs a task itself, holds no database handle, and ends with its runner.
"""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from ...sdk import task_runtime
from . import child, dag_file, fork_safety, frames, process_hygiene, protocol, task_output
from .client import SocketRuntime
from .outcome import TRACEBACK_LENGTH_MAX, storable
from .recorded_inputs import InputRecorder, RecordingRuntime
from .spare_process import IDLE_MAX_S, SpareProcess, wait_for_order
from .warm_up import warm_up
from .watched_files import watched_paths


def main(payload: bytes, fds: Sequence[int]) -> None:
    """Be a host until the runner closes the control socket.

    Args:
        fds: the control socket, and the runner's journal of entries.
    """
    process_hygiene.become_subreaper()
    process_hygiene.set_process_name("tradewind-host")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the runner's to handle
    start = protocol.decode_host_start(payload)
    control = socket.socket(fileno=fds[0])
    with contextlib.suppress(frames.ConnectionLost):
        TaskHost(control, journal=fds[1]).serve(start)


class TaskHost:
    """One imported DAG file and the task processes forked from it."""

    def __init__(self, control: socket.socket, journal: int) -> None:
        self._control = control
        self._journal = journal
        self._pid = os.getpid()
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self._pids: dict[str, int] = {}
        self._keys: dict[int, str] = {}
        self._loaded: dag_file.LoadedFile | None = None
        self._spare: SpareProcess | None = None
        self._changed_signals: Sequence[int] = ()

    def serve(self, start: protocol.HostStart) -> None:
        """Import the file, report, and fork until the runner closes.

        Raises:
            frames.ConnectionLost: the runner has closed, or is gone.
        """
        ready = self._load(start)
        if not ready.error:
            task_output.install_output(*task_output.log_settings())
            faulthandler.enable()  # a crash of a task leaves its stack in the task's log
            gc.collect()
            gc.freeze()  # a full collection in a child must not touch, and so copy, shared pages
        # After the import: user code may have set handlers of its own.
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        self._changed_signals = process_hygiene.changed_signals()
        self._report(ready)
        control = self._control.fileno()
        while True:
            idle_s = IDLE_MAX_S if self._spare is not None else None
            readable, _, _ = select.select([control, self._wake_read], [], [], idle_s)
            if not readable:
                self._dismiss_spare()
            if self._wake_read in readable:
                self._drain_wake()
                self._reap()
            if control in readable:
                self._obey()

    # -- importing ----------------------------------------------------------------------------

    def _load(self, start: protocol.HostStart) -> protocol.HostReady:
        folders = [Path(folder) for folder in start.import_folders]
        dag_file.prepare_import_paths(folders)
        sys.argv = ["tradewind"]
        recorder = InputRecorder()
        sockets = fork_safety.open_sockets()
        # Top-level Variable.get and Connection look-ups are answered by the runner.
        asking = SocketRuntime(self._control)
        task_runtime.current = RecordingRuntime(asking, recorder)
        try:
            with recorder.recording():
                self._loaded = dag_file.load_dag_file(Path(start.path), folders)
        except frames.ConnectionLost:
            raise
        except BaseException:  # noqa: BLE001 - also SystemExit: it is the file's fault, not ours
            return protocol.HostReady(
                error=storable(traceback.format_exc(), TRACEBACK_LENGTH_MAX),
                watched=watched_paths([start.path]),
            )
        finally:
            task_runtime.current = None
        reason = fork_safety.reason_against_forking(sockets)
        if not reason:
            warm_up(self._loaded.dags.values())
        inputs = recorder.inputs()
        return protocol.HostReady(
            content_hash=self._loaded.content_hash,
            not_fork_safe=reason,
            watched=watched_paths([start.path, *inputs.files]),
            variables=inputs.variables,
            connections=inputs.connections,
        )

    # -- forking and reaping --------------------------------------------------------------------

    def _obey(self) -> None:
        message, fds = frames.receive(self._control)
        order = protocol.decode_host_order(message)
        if isinstance(order, protocol.SignalTask):
            pid = self._pids.get(order.key)
            if pid is not None:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(pid, order.number)
        else:
            self._start(order, message, fds)
        # Before the next request: a copy left open here would be inherited by the next task,
        # and the end-of-file that tells of this one's exit would never come.
        for number in fds:
            os.close(number)
        is_idle = not select.select([self._control], [], [], 0)[0]
        if is_idle and self._spare is None and isinstance(order, protocol.RunTask):
            self._fork_spare()

    def _start(self, order: protocol.RunTask, message: bytes, fds: Sequence[int]) -> None:
        spare, self._spare = self._spare, None
        if spare is not None:
            is_taken = spare.take(message, fds)
            spare.close()
            if is_taken:
                self._note_started(order, spare.pid)
                return
        try:
            pid = os.fork()
        except OSError as error:
            self._report(protocol.TaskNotStarted(key=order.key, error=str(error)))
            return
        if pid == 0:
            try:
                self._become_task_process()
                self._run_task(order, fds)
            finally:  # whatever happens, a task process never returns into the host's loop
                os._exit(1)
        with contextlib.suppress(OSError):
            os.setpgid(pid, pid)  # the child does so too: whoever comes first
        self._note_started(order, pid)

    def _note_started(self, order: protocol.RunTask, pid: int) -> None:
        self._pids[order.key] = pid
        self._keys[pid] = order.key
        self._report(protocol.TaskStarted(key=order.key, pid=pid))

    def _fork_spare(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        # Where other tasks want the processors, what is done ahead is done at their cost.
        rehearses = len(self._pids) <= 2
        try:
            pid = os.fork()
        except OSError:  # no room for one more process: the next task will tell, if there is need
            ours.close()
            theirs.close()
            return
        if pid == 0:
            try:
                ours.close()
                self._become_task_process()
                received = wait_for_order(theirs, rehearses=rehearses)
                if received is not None:
                    order = protocol.decode_host_order(received[0])
                    if isinstance(order, protocol.RunTask):
                        self._run_task(order, received[1])
            finally:
                os._exit(1)
        theirs.close()
        with contextlib.suppress(OSError):
            os.setpgid(pid, pid)
        self._spare = SpareProcess(pid, ours)

    def _dismiss_spare(self) -> None:
        if self._spare is not None:
            self._spare.close()
            self._spare = None

    def _become_task_process(self) -> None:
        child.prepare_forked_process(self._pid, self._changed_signals)
        self._control.close()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _run_task(self, order: protocol.RunTask, fds: Sequence[int]) -> NoReturn:
        loaded = self._loaded
        child.run(
            order,
            connection=socket.socket(fileno=fds[0]),
            output=fds[1],
            journal=self._journal,
            dags=loaded.dags if loaded else {},
            content_hash=loaded.content_hash if loaded else "",
        )

    def _drain_wake(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while os.read(self._wake_read, 512):
                pass

    def _reap(self) -> None:
        while True:
            try:
                ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if ended is None:
                break
            pid = ended.si_pid
            key = self._keys.pop(pid, None)
            if key is not None:
                # While the leader is not reaped yet its group's number cannot be anyone else's.
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(pid, signal.SIGKILL)
            _, status = os.waitpid(pid, 0)
            if self._spare is not None and pid == self._spare.pid:
                self._dismiss_spare()
            if key is not None:
                del self._pids[key]
                self._report(protocol.TaskExited(key=key, status=status))
        self._kill_leftovers()

    def _kill_leftovers(self) -> None:
        # What left its task's process group (setsid) was handed to us when its parent ended.
        for pid in process_hygiene.child_pids():
            if pid in self._keys or (self._spare is not None and pid == self._spare.pid):
                continue
            owner = process_hygiene.attempt_of(pid)
            if owner in self._pids or (owner is None and self._pids):
                continue  # its task, or one that may be its task, still runs
            with contextlib.suppress(ProcessLookupError, PermissionError):
                if os.getpgid(pid) == pid:
                    os.killpg(pid, signal.SIGKILL)
                else:
                    os.kill(pid, signal.SIGKILL)

    def _report(self, report: protocol.HostReport) -> None:
        frames.send(self._control, protocol.encode(report))
