"""The runner's door to the operating system: start, signal, listen.

The runner's own logic (``runner.py``) sees processes only through ``Processes``. In production
that is ``OsProcesses`` (hosts, sockets, log files); the simulation and the tests hand in scripted
ones, so that every interleaving can be replayed (architecture, section 6).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ...database.values import Claim
from ..task.task_spec import TaskResult


@dataclass(frozen=True, slots=True)
class TaskOrder:
    """One claimed try to be started. ``key`` names it in every event."""

    key: str
    claim: Claim
    log_path: str  # relative to the log folder


@dataclass(frozen=True, slots=True)
class TaskBegan:
    """The task process exists."""

    key: str
    pid: int


@dataclass(frozen=True, slots=True)
class TaskEntered:
    """Code of the user runs from here on."""

    key: str


@dataclass(frozen=True, slots=True)
class TaskExecuting:
    """``execute`` has begun."""

    key: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A task (or a host that imports: ``key`` None) waits for an answer to a request.

    ``asker`` is handed back to ``Processes.answer`` as it is.
    """

    asker: object
    key: str | None
    method: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TaskEnded:
    """A task process is gone, its output is read to the end. Comes once per order.

    ``exit_code`` and ``signal`` are both None where the exit could not be seen (its host died).
    """

    key: str
    result: TaskResult | None = None
    exit_code: int | None = None
    signal: int | None = None
    #: Not empty: why it could not run, or broke the protocol.
    error: str = ""
    #: The system had no room for the process: nothing of the user ran, another time may do.
    is_out_of_resources: bool = False
    #: Its DAG file is not on this machine.
    is_absent: bool = False
    #: Its host or the zygote died under it.
    is_host_lost: bool = False
    is_out_of_memory: bool = False
    last_lines: Sequence[str] = ()
    code_hash: str = ""
    pid: int | None = None


@dataclass(frozen=True, slots=True)
class BellRang:
    """Someone changed something that may concern this runner."""


Event = TaskBegan | TaskEntered | TaskExecuting | Asked | TaskEnded | BellRang


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to ``Asked``; ``masked``: secrets in it, to be kept out of the asker's log."""

    value: Any = None
    error: str = ""
    masked: Sequence[str] = field(default_factory=tuple)


class Processes(Protocol):
    """What the runner asks of the operating system. No call but ``poll`` waits."""

    def start(self, order: TaskOrder) -> None:
        """Start one task process; ``TaskBegan`` or ``TaskEnded`` will tell how that went."""

    def poll(self, wait_s: float) -> list[Event]:
        """Return what happened; wait for the first event, *wait_s* seconds at most."""

    def signal(self, key: str, number: int) -> None:
        """Send a signal to a task's process group. A task that has not begun is withdrawn."""

    def answer(self, asker: object, reply: Reply) -> None:
        """Answer one ``Asked``."""

    def note(self, key: str, text: str) -> None:
        """Put one line of the runner's own into a running task's log."""

    def close_log(self, key: str, verdict: str) -> None:
        """Write the last line of an ended task's log, and close it."""

    def close_left_log(self, log_path: str, verdict: str) -> None:
        """Write the last line of a log that a dead runner could not close."""

    def close_left_logs(self, verdict: str) -> None:
        """Do so for all that dead runners of this slot had opened and that lack one."""

    def stop(self) -> None:
        """Let go of hosts and zygote. Tasks that still run are killed."""
