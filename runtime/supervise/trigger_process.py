"""The triggerer's door to the operating system: the process in which triggers run."""

from __future__ import annotations

import contextlib
import logging
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ...database.values import ClaimedTrigger, ClaimedWatcher
from ...sdk.log_paths import task_log_path
from ..task import frames, protocol
from ..task.run_trigger import TriggerReport, WatcherReport
from ..task.trigger_child import (
    Begin,
    CancelTrigger,
    RunTrigger,
    TriggerLine,
    decode_report,
    encode,
)
from ..task.trigger_in_turn import TurnRecord
from .processes import Reply
from .verdict import signal_name

log = logging.getLogger(__name__)

_STOP_TIMEOUT_S = 2.0
#: A trigger that blocks all others for so long fails; Airflow's limit, too.
BLOCKED_MAX_S = 30.0
#: A process that says nothing for so long beyond that cannot even watch itself.
SILENCE_MARGIN_S = 15.0
#: How long a process that has closed its end may take to be gone.
_END_TIMEOUT_S = 1.0
_KILLED_BY_OTHERS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
#: How long an order may take to be sent before its taker is given up.
_SEND_TIMEOUT_S = 5.0


@dataclass(slots=True)
class Heard:
    """What the process said since the last time. ``has_died``: it is gone, start another."""

    reports: list[TriggerReport] = field(default_factory=list)
    watched: list[WatcherReport] = field(default_factory=list)
    asked: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    has_died: bool = False


class TriggerProcess(Protocol):
    """Where triggers run, as ``Triggerer`` sees it; tests hand in scripted ones."""

    def run(self, trigger: ClaimedTrigger) -> None:
        """Begin a trigger; the process is started with the first one."""

    def watch(self, run_number: int, watcher: ClaimedWatcher) -> None:
        """Begin a trigger that watches assets, under a negative number that was never used."""

    def cancel(self, trigger_id: int, *, is_by_user: bool) -> None:
        """Stop a trigger, if it runs, or a watching one by the number of its run."""

    def wait(self, timeout_s: float) -> Heard:
        """Return what was said, after *timeout_s* at the latest, or when a bell rang."""

    def answer(self, reply: Reply) -> None:
        """Answer the oldest question that has no answer yet."""

    def stop(self) -> None:
        """End the process; all its triggers tidy up."""


class OsTriggerProcess:
    """A real one: exec'd, so that it holds no database handle and no secret of ours."""

    def __init__(
        self,
        *,
        environment: Mapping[str, str],
        import_folders: Sequence[str],
        wake_fds: Sequence[Any] = (),
        write_log: Callable[[str, Sequence[str]], None] | None = None,
        blocked_max_s: float = BLOCKED_MAX_S,
        silence_margin_s: float = SILENCE_MARGIN_S,
    ) -> None:
        """Prepare; the process is started with the first trigger.

        Args:
            wake_fds: further descriptors (bells, signals) that end a wait.
            write_log: takes the path of a task's log, below the log folder, and lines for it.
            blocked_max_s: how long a trigger may block all others.
            silence_margin_s: beyond that the process is killed if it has not ended by itself.
        """
        self._write_log = write_log
        self._blocked_max_s = blocked_max_s
        self._silence_max_s = blocked_max_s + silence_margin_s
        self._heard_s = self._looked_s = time.monotonic()
        self._log_paths: dict[int, str] = {}
        self._turns: TurnRecord | None = None
        #: What began in the present process and has not said how it ended, by label.
        self._unreported: dict[int, str] = {}
        self._environment = dict(environment)
        self._import_folders = list(import_folders)
        self._selector = selectors.DefaultSelector()
        for one in wake_fds:
            self._selector.register(one, selectors.EVENT_READ)
        self._process: subprocess.Popen[bytes] | None = None
        self._sockets: list[socket.socket] = []
        self._readers: list[frames.FrameReader] = []

    def run(self, trigger: ClaimedTrigger) -> None:
        if self._process is None:
            self._start()
        label = f"{trigger.dag_id}.{trigger.task_id} {trigger.run_id}"
        if trigger.map_index >= 0:
            label += f" [{trigger.map_index}]"
        self._log_paths[trigger.id] = task_log_path(
            trigger.dag_id,
            trigger.run_id,
            trigger.task_id,
            trigger.map_index,
            trigger.try_number,
            trigger.logical_date,
        )
        self._unreported[trigger.id] = label
        self._send(RunTrigger(trigger.id, trigger.class_path, trigger.kwargs, label))

    def watch(self, run_number: int, watcher: ClaimedWatcher) -> None:
        if self._process is None:
            self._start()
        label = self._unreported[run_number] = f"asset watcher {watcher.name}"
        self._send(
            RunTrigger(run_number, watcher.class_path, watcher.kwargs, label, is_watcher=True)
        )

    def cancel(self, trigger_id: int, *, is_by_user: bool) -> None:
        if self._process is not None:
            self._unreported.pop(trigger_id, None)
            self._send(CancelTrigger(trigger_id, is_by_user))

    def wait(self, timeout_s: float) -> Heard:
        self._selector.select(timeout_s)
        heard = Heard()
        if self._process is None:
            return heard
        reports, asks = self._readers
        lines: dict[int, list[str]] = {}
        for message in self._read(reports):
            said = decode_report(message)
            if isinstance(said, TriggerReport):
                heard.reports.append(said)
                self._unreported.pop(said.trigger_id, None)
            elif isinstance(said, WatcherReport):
                heard.watched.append(said)
                if said.has_ended:
                    self._unreported.pop(said.run_number, None)
            elif isinstance(said, TriggerLine):
                lines.setdefault(said.trigger_id, []).append(said.text)
        self._log(lines)
        for report in heard.reports:
            self._log_paths.pop(report.trigger_id, None)
        for message in asks.read():
            asked = protocol.decode_task_message(message)
            if isinstance(asked, protocol.Ask):
                heard.asked.append((asked.method, asked.arguments))
        if reports.is_closed or self._process.poll() is not None or self._is_silent():
            heard.has_died = True
            self._blame(heard)
            self._forget()
        return heard

    def _blame(self, heard: Heard) -> None:
        """Have the trigger fail that has ended the process of all, if one has.

        A process that was killed was killed by somebody else, or for want of memory: it says
        nothing about whose turn it was.
        """
        if self._process is None or self._turns is None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_TIMEOUT_S)
        status = self._process.returncode
        number = self._turns.read()
        if status is None or -status in _KILLED_BY_OTHERS or number not in self._unreported:
            return
        how = f"exit code {status}" if status >= 0 else signal_name(-status)
        error = f"the trigger has ended the process of all triggers ({how})"
        log.error("%s: %s", self._unreported[number], error)
        if number < 0:
            heard.watched.append(WatcherReport(number, has_ended=True, error=error))
        else:
            heard.reports.append(TriggerReport(number, error=error))

    def _read(self, reports: frames.FrameReader) -> list[bytes]:
        """Return what was said, and remember when that was."""
        now_s = time.monotonic()
        messages = list(reports.read())
        # Who was away for long itself (a stop, a sleep) has no right to judge by time.
        if messages or now_s - self._looked_s > self._silence_max_s / 3:
            self._heard_s = now_s
        self._looked_s = now_s
        return messages

    def _is_silent(self) -> bool:
        silent_s = time.monotonic() - self._heard_s
        if silent_s <= self._silence_max_s:
            return False
        log.error("the process of the triggers has said nothing for %.0f s: it is ended", silent_s)
        return True

    def _log(self, lines: Mapping[int, Sequence[str]]) -> None:
        for trigger_id, texts in lines.items():
            path = self._log_paths.get(trigger_id)
            if path is not None and self._write_log is not None:
                self._write_log(path, texts)

    def answer(self, reply: Reply) -> None:
        if self._process is None:
            return
        asks = self._sockets[2]
        asks.setblocking(True)
        try:
            frames.send(asks, protocol.encode(protocol.Answer(reply.value, reply.error)))
        except (frames.ConnectionLost, OSError):
            return  # the next wait tells that it has died
        finally:
            asks.setblocking(False)

    def stop(self) -> None:
        process = self._process
        if process is None:
            return
        self._forget(kill=False)
        try:
            process.wait(timeout=_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _start(self) -> None:
        pairs = [socket.socketpair() for _ in range(3)]
        # -P: our working directory is no place to import from.
        module = "tradewind.runtime.task.trigger_child"
        with tempfile.TemporaryFile() as turns:
            turns.truncate(TurnRecord.BYTES)
            self._turns = TurnRecord(turns.fileno())
            theirs = [*(theirs.fileno() for _, theirs in pairs), turns.fileno()]
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", module, *map(str, theirs)],
                pass_fds=theirs,
                env=self._environment,
                stdin=subprocess.DEVNULL,
            )
        for _, their_end in pairs:
            their_end.close()
        self._sockets = [ours for ours, _ in pairs]
        for ours in self._sockets[1:]:
            ours.setblocking(False)
            self._selector.register(ours, selectors.EVENT_READ)
        self._readers = [frames.FrameReader(ours) for ours in self._sockets[1:]]
        self._sockets[0].settimeout(_SEND_TIMEOUT_S)
        self._heard_s = time.monotonic()
        self._send(Begin(self._import_folders, self._blocked_max_s))

    def _send(self, order: Any) -> None:
        try:
            frames.send(self._sockets[0], encode(order))
        except TimeoutError:  # it takes no orders: it hangs
            log.error("the process of the triggers takes no orders: it is ended")
            if self._process is not None:
                self._process.kill()
        except (frames.ConnectionLost, OSError):
            return  # the next wait tells that it has died

    def _forget(self, *, kill: bool = True) -> None:
        for ours in self._sockets[1:]:
            self._selector.unregister(ours)
        for ours in self._sockets:
            ours.close()
        self._sockets, self._readers = [], []
        self._log_paths.clear()
        self._unreported.clear()
        if self._turns is not None:
            self._turns.close()
            self._turns = None
        if kill and self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = None
