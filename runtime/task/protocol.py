"""What runner, task host and task process say to each other. MessagePack, framed by length.

Three conversations:

- runner and host, on the host's control socket: ``RunTask``, ``SignalTask``; answered by
  ``HostReady`` once, then ``TaskStarted`` and ``TaskExited`` per task;
- task process and runner, on a socket of the task's own: ``Entered``, ``Executing``, ``Ask``
  (answered by ``Answer``), ``Join``, ``Mask``, and last ``Result``;
- everything that a person may read (stdout, stderr, logging) goes down a pipe, as lines.

Each message of a task process carries the nonce that its runner drew for it: bytes that user
code writes into the socket by mistake are recognised as junk, and end that attempt only.
"""

from __future__ import annotations

from typing import Any

import msgspec

from .task_spec import TaskResult

#: Bytes before each message of a task process.
NONCE_BYTES = 8

# Marks in the output pipe. A logging record's first line begins with RECORD, its further lines
# with CONTINUED; a line without a mark is plain output, and the runner puts the time before it.
RECORD_MARK = b"\x1e"
CONTINUED_MARK = b"\x1f"

#: The environment variable that marks all processes of one attempt, for the sweep of leftovers.
ATTEMPT_VARIABLE = "TRADEWIND_ATTEMPT"


class HostStart(msgspec.Struct):
    """What a new task host is told: which file, and where modules may come from."""

    path: str
    relative_path: str
    import_folders: list[str]


class RunTask(msgspec.Struct, tag="run"):
    """Fork a task process. The task's socket and the write end of its output ride along.

    ``spec``: an encoded ``TaskInstanceSpec``; only the forked process decodes it.
    """

    key: str
    nonce: bytes
    spec: bytes


class SignalTask(msgspec.Struct, tag="signal"):
    """Send a signal to a task's process group, if the task has not been reaped yet."""

    key: str
    number: int


HostOrder = RunTask | SignalTask


class FreshTask(msgspec.Struct):
    """The first frame that a task in a fresh interpreter reads."""

    start: HostStart
    order: RunTask


class HostReady(msgspec.Struct, tag="ready"):
    """Importing is over.

    ``error``: the traceback where it failed. ``not_fork_safe``: why tasks must not be forked.
    ``watched``: paths whose change makes this host stale, each with what ``stat`` said.
    """

    content_hash: str = ""
    error: str = ""
    not_fork_safe: str = ""
    watched: dict[str, tuple[int, int, int]] = {}
    #: Stored values asked for while importing: name → mark (``recorded_inputs``).
    variables: dict[str, str] = {}
    connections: dict[str, str] = {}


class TaskStarted(msgspec.Struct, tag="started"):
    """The fork worked."""

    key: str
    pid: int


class TaskNotStarted(msgspec.Struct, tag="not_started"):
    """The system had no room for a process: the claim is to be given back."""

    key: str
    error: str


class TaskExited(msgspec.Struct, tag="exited"):
    """A task process was reaped. ``status`` as ``os.waitpid`` gives it."""

    key: str
    status: int


class Ask(msgspec.Struct, tag="ask"):
    """Call a method of ``TaskRuntime``. The asker waits for one ``Answer``."""

    method: str
    arguments: dict[str, Any] = {}


class Join(msgspec.Struct, tag="join"):
    """The task is about to fork: what it forks asks over a socket whose other end rides along."""


class Mask(msgspec.Struct, tag="mask"):
    """Values that must not reach the log. From a host: not those of its tasks either."""

    values: list[str]


HostReport = HostReady | TaskStarted | TaskNotStarted | TaskExited | Ask | Mask


class Answer(msgspec.Struct):
    """The method's return value; ``error`` not empty: what it raised, in one line."""

    value: Any = None
    error: str = ""


class Entered(msgspec.Struct, tag="entered"):
    """From here on code of the user runs: the try is used."""


class Executing(msgspec.Struct, tag="executing"):
    """``execute`` begins: its time limit counts from here."""


class Result(msgspec.Struct, tag="result"):
    """How the attempt ended, as the task process sees it."""

    result: TaskResult


class Leaving(msgspec.Struct, tag="leaving"):
    """The very last: all has been run, flushed and closed; what is left is the kernel's work.

    The kernel takes a millisecond or two to take down a process that was forked warm. After a
    success nobody need wait for it.
    """

    exit_code: int


TaskMessage = Entered | Executing | Ask | Join | Mask | Result | Leaving

encode = msgspec.msgpack.Encoder().encode
decode_host_order = msgspec.msgpack.Decoder(HostOrder).decode
decode_host_report = msgspec.msgpack.Decoder(HostReport).decode
decode_task_message = msgspec.msgpack.Decoder(TaskMessage).decode
decode_answer = msgspec.msgpack.Decoder(Answer).decode
decode_fresh_task = msgspec.msgpack.Decoder(FreshTask).decode
decode_host_start = msgspec.msgpack.Decoder(HostStart).decode
