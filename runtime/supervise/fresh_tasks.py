"""Task processes in fresh interpreters: children of the runner itself.

For files that must not be forked after their import, for ``start_method = spawn``, and for
systems without what a task host needs.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence

from ..task import frames, process_hygiene, protocol
from .task_channel import ChildEnds, TaskChannel


class FreshTasks:
    """Starts, signals and reaps them."""

    def __init__(self, journal: int, environment: Mapping[str, str] | None) -> None:
        """Prepare.

        Args:
            journal: descriptor to which tasks note that they enter user code.
            environment: of the processes; None: this process's own.
        """
        self._journal = journal
        self._environment = environment
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._processes

    def start(
        self, task: protocol.FreshTask, channel: TaskChannel, ends: ChildEnds
    ) -> subprocess.Popen[bytes]:
        """Start one. *ends* stay open; the caller closes them.

        Raises:
            OSError: there is no room for another process.
        """
        descriptors = [ends.connection.fileno(), ends.output, self._journal]
        # -P: the runner's working directory is no place to import from.
        module = [sys.executable, "-P", "-m", "tradewind.runtime.task.fresh"]
        process = subprocess.Popen(
            [*module, *map(str, descriptors)],
            pass_fds=descriptors,
            env=None if self._environment is None else dict(self._environment),
            stdin=subprocess.DEVNULL,
            stdout=ends.output,
            stderr=ends.output,
            process_group=0,
        )
        self._processes[task.order.key] = process
        frames.send(channel.connection, protocol.encode(task))
        return process

    def signal(self, key: str, number: int) -> None:
        """Send a signal to a task's process group."""
        signal_group(self._processes[key].pid, number)

    def reap(self) -> list[tuple[str, int]]:
        """Return key and wait status of those that ended."""
        ended: list[tuple[str, int]] = []
        for key, process in list(self._processes.items()):
            try:
                found = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                found = None
            if found is None:
                continue
            # What it left in its group; until it is reaped the number cannot be anyone else's.
            signal_group(process.pid, signal.SIGKILL)
            _, status = os.waitpid(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            del self._processes[key]
            ended.append((key, status))
        return ended

    def kill_adopted(self, own_pids: Sequence[int]) -> None:
        """Kill what ended tasks left behind, and the kernel handed to this process.

        Args:
            own_pids: other children of this process.
        """
        own = {process.pid for process in self._processes.values()}.union(own_pids)
        for pid in process_hygiene.child_pids():
            if pid in own or process_hygiene.attempt_of(pid) in (None, *self._processes):
                continue
            signal_group(pid, signal.SIGKILL)
            try:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, os.WNOHANG)
            except (ProcessLookupError, ChildProcessError, PermissionError):
                continue

    def stop(self) -> None:
        """Kill those that still run, and wait for them."""
        for process in self._processes.values():
            signal_group(process.pid, signal.SIGKILL)
        for process in self._processes.values():
            process.wait()
        self._processes.clear()


def signal_group(pid: int, number: int) -> None:
    """Send a signal to the process group led by *pid*, if there is one."""
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return
