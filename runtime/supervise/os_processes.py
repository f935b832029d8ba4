"""``Processes`` on a real operating system: zygote, hosts, sockets, pipes, log files.

One selector holds all descriptors. Nothing here decides what runs or when it is killed; that is
``runner.py``. Nothing here starts a thread.
"""

from __future__ import annotations

import logging
import signal
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

from ...sdk.clock import Clock
from ..task import frames, protocol
from .descriptors import Descriptors
from .forked_asker import ForkedAsker
from .fresh_tasks import FreshTasks
from .hosts import Host, HostPool, StaleCheck, private_bytes
from .log_files import TaskLog
from .open_logs import OpenLogs
from .os_settings import BellListener, OsSettings
from .processes import (
    Asked,
    BellRang,
    Event,
    Reply,
    TaskBegan,
    TaskEnded,
    TaskOrder,
)
from .task_channel import TaskChannel
from .task_channels import TaskChannels
from .task_order import encoded_spec
from .verdict import describe_import_end
from .zygote_client import ForkFailed, ZygoteClient, ZygoteDied

log = logging.getLogger(__name__)

#: How often idle hosts and their memory are looked at, in seconds.
HOUSEKEEPING_S = 10.0


class OsProcesses:
    """See ``processes.Processes``."""

    def __init__(
        self,
        settings: OsSettings,
        clock: Clock,
        *,
        journal: int,
        open_logs: OpenLogs | None = None,
        bell: BellListener | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start listening; the zygote starts with the first task.

        Args:
            journal: descriptor to which task processes note that they enter user code.
            open_logs: where it is noted which logs are opened; None: nowhere.
            environment: of all processes started here; None: this process's own.
        """
        self._settings = settings
        self._clock = clock
        self._journal = journal
        self._open_logs = open_logs
        self._bell = bell
        self._hostname = socket.gethostname()
        self._descriptors = Descriptors()
        self._events: list[Event] = []
        self._channels = TaskChannels(
            self._descriptors,
            clock,
            tell=lambda event: self._events.append(event),
            kill=lambda key: self.signal(key, signal.SIGKILL),
        )
        self._waiting: dict[str, Host] = {}
        self._hosts_of: dict[str, Host] = {}
        self._fresh = FreshTasks(journal, environment)
        self._logs: dict[str, TaskLog] = {}
        self._pool = HostPool(settings.hosts)
        self._housekeeping_due = 0.0
        self._zygote = ZygoteClient(environment)
        self._has_zygote = False
        self._zygote_used_s = 0.0
        self._wake_read, self._wake_write = socket.socketpair()
        self._wake_read.setblocking(False)
        self._wake_write.setblocking(False)
        self._descriptors.listen(self._wake_read.fileno(), self._woken)
        if bell is not None:
            self._descriptors.listen(bell.fileno(), self._rung)

    def start(self, order: TaskOrder) -> None:
        """See ``Processes.start``."""
        task_log = self._logs[order.key] = self._settings.task_log(order, self._clock)
        if self._open_logs is not None:
            self._open_logs.note(order.log_path)
        try:
            self._start(order)
        finally:
            task_log.open()  # last: while the child starts, the file costs no time

    def _start(self, order: TaskOrder) -> None:
        if self._settings.spawns(order.claim.dag_id):
            self._start_fresh(order)
            return
        path = self._settings.path_of(order)
        host = self._pool.usable(path, self._clock.monotonic())
        if host is None:
            try:
                host = self._start_host(path, order.claim.relative_fileloc)
            except (ZygoteDied, ForkFailed, OSError) as error:
                self._end_unstarted(order, str(error), is_out_of_resources=True)
                return
        self._give(host, order)

    def poll(self, wait_s: float) -> list[Event]:
        """See ``Processes.poll``."""
        if self._events or self._zygote.has_exits:
            wait_s = 0.0
        if self._channels.is_any_lingering:
            wait_s = min(wait_s, 0.2)
        self._descriptors.hear(wait_s)
        if self._zygote.has_exits:
            self._hear_zygote()
        if self._channels.is_any_lingering:
            self._channels.give_up_output()
        if self._housekeeping_due <= self._clock.monotonic():
            self._keep_house()
        events, self._events = self._events, []
        return events

    def signal(self, key: str, number: int) -> None:
        """See ``Processes.signal``."""
        if number == signal.SIGKILL:
            self._channels.note_killed(key)
        if key in self._fresh:
            self._fresh.signal(key, number)
            return
        host = self._waiting.pop(key, None)
        if host is not None:
            host.waiting = [order for order in host.waiting if order.key != key]
            self._events.append(TaskEnded(key=key))
            if host.ready is None and not host.waiting:
                self._kill_host(host)  # no one waits for an import that takes so long
            return
        host = self._hosts_of.get(key)
        if host is not None and not host.is_gone:
            self._tell(host, protocol.SignalTask(key=key, number=int(number)))

    def answer(self, asker: object, reply: Reply) -> None:
        """See ``Processes.answer``."""
        answer = protocol.Answer(value=reply.value, error=reply.error)
        if isinstance(asker, TaskChannel | ForkedAsker):
            asker.log.mask(reply.masked)
            asker.send(answer)
        elif isinstance(asker, StaleCheck):
            asker.host.has_stale_values = asker.host.has_stale_values or reply.value is True
        elif isinstance(asker, Host) and not asker.is_gone:
            asker.masked.extend(reply.masked)
            self._tell(asker, answer)

    def note(self, key: str, text: str) -> None:
        """See ``Processes.note``."""
        if key in self._logs:
            self._logs[key].note(text)

    def close_log(self, key: str, verdict: str) -> None:
        """See ``Processes.close_log``."""
        task_log = self._logs.pop(key, None)
        if task_log is not None:
            task_log.close(verdict)
        if self._open_logs is not None and not self._logs:
            self._open_logs.shorten()

    def close_left_log(self, log_path: str, verdict: str) -> None:
        """See ``Processes.close_left_log``."""
        self._settings.log_at(log_path, self._clock).close(verdict)

    def close_left_logs(self, verdict: str) -> None:
        """See ``Processes.close_left_logs``."""
        if self._open_logs is not None:
            for log_path in self._open_logs.take_left(self._settings.log_folder):
                self.close_left_log(log_path, verdict)

    def stop(self) -> None:
        """See ``Processes.stop``."""
        for host in list(self._pool.all):
            host.control.close()
        if self._has_zygote:
            self._zygote.stop()
            self._has_zygote = False
        self._fresh.stop()
        if self._open_logs is not None:
            self._open_logs.close()
        self._descriptors.close()

    def wakeup_fd(self) -> int:
        """Return the descriptor that wakes ``poll`` (for ``signal.set_wakeup_fd``)."""
        return self._wake_write.fileno()

    def _start_host(self, path: str, relative_path: str) -> Host:
        self._ensure_zygote()
        self._zygote_used_s = self._clock.monotonic()
        start = self._settings.host_start(path, relative_path)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            try:
                pid = self._zygote.fork(
                    "host", protocol.encode(start), [theirs.fileno(), self._journal]
                )
            except BaseException:
                ours.close()
                raise
        ours.setblocking(False)
        now_s = self._clock.monotonic()
        host = Host(
            path=path,
            pid=pid,
            control=ours,
            reader=frames.FrameReader(ours),
            started_due=now_s,
            used_due=now_s,
        )
        self._pool.add(host)
        self._descriptors.listen(ours.fileno(), lambda: self._hear_host(host))
        return host

    def _ensure_zygote(self) -> None:
        if not self._has_zygote:
            self._zygote.start()
            self._has_zygote = True
            self._descriptors.listen(self._zygote.fileno(), self._hear_zygote)

    def _give(self, host: Host, order: TaskOrder) -> None:
        host.used_due = self._clock.monotonic()
        if host.ready is None:
            host.waiting.append(order)
            self._waiting[order.key] = host
        elif host.ready.error:
            stand_in = self._pool.stand_in(host.path)
            if stand_in is not None:
                self._logs[order.key].note(
                    "The DAG file cannot be imported now; running the last version that could"
                )
                self._give(stand_in, order)
                return
            self._logs[order.key].note(host.ready.error.rstrip())
            last = host.ready.error.rstrip().rsplit("\n", 1)[-1]
            relative = order.claim.relative_fileloc or host.path
            if not Path(host.path).exists():
                self._end_absent(order, f"the DAG file {relative} is not on {self._hostname}")
                return
            self._end_unstarted(order, f"cannot import {relative}: {last}")
        elif host.ready.not_fork_safe:
            self._start_fresh(order)
        else:
            self._fork_task(host, order)

    def _fork_task(self, host: Host, order: TaskOrder) -> None:
        try:
            channel, ends = self._channels.open(order, self._logs[order.key])
        except OSError as error:
            self._end_unstarted(order, str(error), is_out_of_resources=True)
            return
        channel.code_hash = host.ready.content_hash if host.ready else ""
        channel.log.mask(host.masked)
        host.running.add(order.key)
        self._hosts_of[order.key] = host
        request = protocol.RunTask(
            key=order.key, nonce=channel.nonce, spec=encoded_spec(order.claim, self._hostname)
        )
        self._tell(host, request, [ends.connection.fileno(), ends.output])
        ends.close()

    def _start_fresh(self, order: TaskOrder) -> None:
        try:
            channel, ends = self._channels.open(order, self._logs[order.key])
        except OSError as error:
            self._end_unstarted(order, str(error), is_out_of_resources=True)
            return
        path = self._settings.path_of(order)
        start = self._settings.host_start(path, order.claim.relative_fileloc)
        spec = encoded_spec(order.claim, self._hostname)
        run = protocol.RunTask(key=order.key, nonce=channel.nonce, spec=spec)
        try:
            process = self._fresh.start(protocol.FreshTask(start=start, order=run), channel, ends)
        except OSError as error:
            self._channels.close(channel)
            self._end_unstarted(order, str(error), is_out_of_resources=True)
            return
        finally:
            ends.close()
        channel.pid = process.pid
        self._events.append(TaskBegan(order.key, process.pid))

    def _end_unstarted(
        self, order: TaskOrder, error: str, *, is_out_of_resources: bool = False
    ) -> None:
        self._events.append(
            TaskEnded(key=order.key, error=error, is_out_of_resources=is_out_of_resources)
        )

    def _end_absent(self, order: TaskOrder, error: str) -> None:
        self._events.append(TaskEnded(key=order.key, error=error, is_absent=True))

    def _rung(self) -> None:
        if self._bell is not None:
            self._bell.drain()
        self._events.append(BellRang())

    def _woken(self) -> None:
        try:
            while self._wake_read.recv(512):
                pass
        except BlockingIOError:
            pass
        self._reap_fresh()

    def _hear_zygote(self) -> None:
        try:
            exits = self._zygote.poll()
        except ZygoteDied:
            log.error("the zygote died; its hosts and their tasks died with it")
            self._descriptors.forget(self._zygote.fileno())
            self._zygote.stop()
            self._has_zygote = False
            for host in list(self._pool.all):
                self._host_is_gone(host, None)
            return
        statuses = dict(exits)
        for host in list(self._pool.all):
            if host.pid in statuses:
                self._host_is_gone(host, statuses[host.pid])

    def _hear_host(self, host: Host) -> None:
        try:
            messages = host.reader.read()
            reports = [protocol.decode_host_report(message) for message in messages]
        except (frames.FrameTooLong, ValueError):
            self._kill_host(host)
            return
        for report in reports:
            if isinstance(report, protocol.HostReady):
                self._host_is_ready(host, report)
            elif isinstance(report, protocol.Ask):
                self._events.append(Asked(host, None, report.method, report.arguments))
            elif isinstance(report, protocol.Mask):
                host.masked.extend(report.values)
            elif isinstance(report, protocol.TaskStarted):
                channel = self._channels.find(report.key)
                if channel is not None:
                    channel.pid = report.pid
                self._events.append(TaskBegan(report.key, report.pid))
            elif isinstance(report, protocol.TaskNotStarted):
                self._task_was_refused(host, report)
            else:
                self._task_exited(host, report)
        if host.reader.is_closed:
            self._descriptors.forget(host.control.fileno())  # the zygote tells how it ended

    def _host_is_ready(self, host: Host, ready: protocol.HostReady) -> None:
        host.ready = ready
        if not ready.error:
            self._pool.loaded(host)
        orders, host.waiting = host.waiting, []
        for order in orders:
            self._waiting.pop(order.key, None)
            self._give(host, order)

    def _task_exited(self, host: Host, report: protocol.TaskExited) -> None:
        host.running.discard(report.key)
        host.used_due = self._clock.monotonic()
        self._hosts_of.pop(report.key, None)
        channel = self._channels.find(report.key)
        if channel is not None:
            channel.status = report.status
            self._channels.exited(channel)

    def _task_was_refused(self, host: Host, report: protocol.TaskNotStarted) -> None:
        host.running.discard(report.key)
        self._hosts_of.pop(report.key, None)
        channel = self._channels.find(report.key)
        if channel is not None:
            self._channels.close(channel)
            self._end_unstarted(channel.order, report.error, is_out_of_resources=True)

    def _host_is_gone(self, host: Host, status: int | None) -> None:
        if host.is_gone:
            return
        host.is_gone = True
        if not host.reader.is_closed:
            self._hear_host(host)
        self._pool.forget(host)
        self._descriptors.forget(host.control.fileno())
        host.control.close()
        for key in list(host.running):
            channel = self._channels.find(key)
            self._hosts_of.pop(key, None)
            if channel is not None:
                channel.is_host_lost = True
                channel.error = channel.error or "its task host died"
                self._channels.exited(channel)
        orders, host.waiting = host.waiting, []
        for order in orders:
            self._waiting.pop(order.key, None)
            stand_in = self._pool.stand_in(host.path)
            if stand_in is not None:
                self._give(stand_in, order)
            else:
                self._end_unstarted(order, describe_import_end(order.claim, status))

    def _kill_host(self, host: Host) -> None:
        try:
            self._zygote.signal(host.pid, signal.SIGKILL)
        except ZygoteDied:
            self._hear_zygote()

    def _tell(
        self, host: Host, message: protocol.HostOrder | protocol.Answer, fds: Sequence[int] = ()
    ) -> None:
        if not host.send(message, fds):
            self._kill_host(host)  # its exit, reported by the zygote, ends its tasks

    def _reap_fresh(self) -> None:
        for key, status in self._fresh.reap():
            channel = self._channels.find(key)
            if channel is not None:
                channel.status = status
                self._channels.exited(channel)
        zygote = self._zygote.pid
        self._fresh.kill_adopted([] if zygote is None else [zygote])

    def _keep_house(self) -> None:
        now_s = self._clock.monotonic()
        self._housekeeping_due = now_s + HOUSEKEEPING_S
        if not self._pool.all:
            self._rest(now_s)
            return
        memory = private_bytes(host.pid for host in self._pool.all)
        for host in self._pool.expendable(now_s, memory):
            self._pool.forget(host)
            self._descriptors.forget(host.control.fileno())
            host.is_gone = True
            host.control.close()  # it ends at end-of-file
        self._events.extend(self._pool.stale_checks())

    def _rest(self, now_s: float) -> None:
        """Give the zygote's 20 MB back when it has had no host for a while; another takes 0.3 s."""
        if self._has_zygote and now_s - self._zygote_used_s > self._settings.hosts.idle_s:
            self._descriptors.forget(self._zygote.fileno())
            self._zygote.stop()
            self._has_zygote = False
