"""The process in which triggers run: one event loop for all, user code, no database.

Started by exec (``python -m tradewind.runtime.task.trigger_child ORDERS REPORTS ASKS TURNS``):
three sockets, so that neither a slow answer nor a full buffer holds up the loop, and a file that
tells whose turn it is. It ends with its triggerer.
"""

from __future__ import annotations

import asyncio
import logging
import os
import queue
import socket
import sys
import threading
from collections.abc import Sequence
from contextvars import ContextVar

import msgspec

from ...sdk import task_runtime
from ...sdk.secrets_masker import masker
from . import frames, process_hygiene
from .client import SocketRuntime
from .loop_watch import LoopWatch
from .run_trigger import BY_USER, TriggerReport, WatcherReport, run_trigger, run_watcher
from .task_output import TaskFormatter, log_settings
from .trigger_in_turn import TurnRecord, record_turns

log = logging.getLogger(__name__)

#: The loop looks so often whether a trigger blocks it, and warns from this delay on.
LAG_CHECK_S = 0.5
LAG_WARNING_S = 0.2
#: How often the loop says that it lives.
ALIVE_S = 5.0
#: How long the last reports may take to leave when the triggerer has gone.
CLOSE_S = 1.0


class RunTrigger(msgspec.Struct, tag="run"):
    """Begin a trigger. ``label`` names its task instance in the log."""

    trigger_id: int
    class_path: str
    kwargs: str
    label: str = ""
    #: It watches assets: all its events count, not only the first.
    is_watcher: bool = False


class CancelTrigger(msgspec.Struct, tag="cancel"):
    """Stop a trigger, if it still runs."""

    trigger_id: int
    is_by_user: bool = False


class TriggerLine(msgspec.Struct, tag="line"):
    """One line for the log of the task instance that waits for a trigger."""

    trigger_id: int
    text: str


class Begin(msgspec.Struct, tag="begin"):
    """The first order: where user modules are found, and how to log."""

    import_folders: list[str]
    #: A trigger that blocks the loop for so long fails.
    blocked_max_s: float = 30.0


class LoopAlive(msgspec.Struct, tag="alive"):
    """The loop comes to its turn; said every ``ALIVE_S``."""


Order = RunTrigger | CancelTrigger | Begin
Said = TriggerReport | WatcherReport | TriggerLine | LoopAlive

encode = msgspec.msgpack.Encoder().encode
_decode_order = msgspec.msgpack.Decoder(Order).decode
decode_report = msgspec.msgpack.Decoder(Said).decode

#: Which trigger's code runs: the loop keeps one value for each of them.
_trigger_id: ContextVar[int | None] = ContextVar("trigger_id", default=None)


class Outbox:
    """Sends reports and lines from a thread of its own.

    The triggerer may be busy sending orders and not listen: the loop that takes these orders
    must not wait for it.
    """

    def __init__(self, reports: socket.socket) -> None:
        self._reports = reports
        self._waiting: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._send_all, daemon=True)
        self._thread.start()

    def put(self, message: Said) -> None:
        """Have *message* sent, after all that were put before."""
        self._waiting.put(encode(message))

    def close(self) -> None:
        """Wait a moment for what was put to leave."""
        self._waiting.put(None)
        self._thread.join(CLOSE_S)

    def _send_all(self) -> None:
        while (message := self._waiting.get()) is not None:
            try:
                frames.send(self._reports, message)
            except (frames.ConnectionLost, OSError):
                return


class TaskLogHandler(logging.Handler):
    """Sends what a trigger logs to where its task's log is written."""

    def __init__(self, outbox: Outbox) -> None:
        super().__init__()
        self._outbox = outbox
        self.setFormatter(TaskFormatter(log_settings()[0]))

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record; what no trigger logs stays in the triggerer's own log."""
        trigger_id = _trigger_id.get()
        if trigger_id is None:
            return
        try:
            text = self.format(record).encode("utf-8", "backslashreplace").decode()
            self._outbox.put(TriggerLine(trigger_id, text))
        except Exception:  # noqa: BLE001 - logging must never fail a trigger
            self.handleError(record)


class TriggerLoop:
    """Takes orders, runs triggers, reports how they ended."""

    def __init__(self, orders: socket.socket, outbox: Outbox) -> None:
        self._orders = orders
        self._outbox = outbox
        self._reader = frames.FrameReader(orders)
        self._running: dict[int, asyncio.Task[None]] = {}
        self._watching: set[int] = set()
        self._ended = asyncio.Event()
        self._watch: LoopWatch | None = None

    async def serve(self) -> None:
        """Work until the triggerer closes its end."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self._orders.fileno(), self._take_orders)
        watch = asyncio.create_task(self._watch_lag())
        self._take_orders()
        await self._ended.wait()
        loop.remove_reader(self._orders.fileno())
        watch.cancel()
        for task in self._running.values():
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    def _take_orders(self) -> None:
        for message in self._reader.read():
            order = _decode_order(message)
            if isinstance(order, RunTrigger):
                self._run(order)
            elif isinstance(order, CancelTrigger):
                self._cancel(order)
            else:
                sys.path.extend(one for one in order.import_folders if one not in sys.path)
                self._watch = LoopWatch(order.blocked_max_s, self._blame)
        if self._reader.is_closed:
            self._ended.set()

    def _run(self, order: RunTrigger) -> None:
        if order.trigger_id in self._running:
            return
        if order.is_watcher:
            self._watching.add(order.trigger_id)
        turn = _trigger_id.set(order.trigger_id)  # the task begins with a copy of this context
        self._running[order.trigger_id] = asyncio.create_task(self._run_one(order))
        _trigger_id.reset(turn)

    def _cancel(self, order: CancelTrigger) -> None:
        task = self._running.get(order.trigger_id)
        if task is not None:
            task.cancel(BY_USER if order.is_by_user else None)

    async def _run_one(self, order: RunTrigger) -> None:
        log.info("%s: the trigger %s begins", order.label, order.class_path)
        report: TriggerReport | WatcherReport
        try:
            if order.is_watcher:
                report = await run_watcher(
                    order.trigger_id, order.class_path, order.kwargs, self._outbox.put
                )
            else:
                report = await run_trigger(order.trigger_id, order.class_path, order.kwargs)
        except asyncio.CancelledError:
            log.info("%s: the trigger was stopped", order.label)
            return
        finally:
            self._running.pop(order.trigger_id, None)
            self._watching.discard(order.trigger_id)
        if report.error:
            log.warning("%s: the trigger failed\n%s", order.label, report.error)
        else:
            log.info("%s: the trigger %s", order.label, "ended" if order.is_watcher else "fired")
        self._outbox.put(report)

    def _blame(self, task: object, text: str) -> None:
        """Fail the trigger that blocks the loop; called by another thread, before all ends."""
        log.error("A trigger hangs. %s", text)
        for number, one in list(self._running.items()):
            if one is task:
                is_watcher = number in self._watching
                self._outbox.put(
                    WatcherReport(number, has_ended=True, error=text)
                    if is_watcher
                    else TriggerReport(number, error=text)
                )
        self._outbox.close()

    async def _watch_lag(self) -> None:
        loop = asyncio.get_running_loop()
        alive_s = loop.time()
        while True:
            if self._watch is not None:
                self._watch.note_turn()
            if loop.time() - alive_s > ALIVE_S:
                alive_s = loop.time()
                self._outbox.put(LoopAlive())
            before = loop.time()
            await asyncio.sleep(LAG_CHECK_S)
            lag_s = loop.time() - before - LAG_CHECK_S
            if lag_s > LAG_WARNING_S:
                log.warning("A trigger blocked all others for %.2f s", lag_s)


def main(arguments: Sequence[str]) -> None:
    """Serve on the descriptors that *arguments* names."""
    orders, reports, asks = (socket.socket(fileno=int(number)) for number in arguments[:3])
    turns = TurnRecord(int(arguments[3]))
    os.close(int(arguments[3]))
    process_hygiene.die_with_parent(os.getppid())
    process_hygiene.set_process_name("tradewind-trg")
    logging.basicConfig(
        level="INFO", format="%(asctime)s %(levelname)s %(name)s - %(message)s", stream=sys.stderr
    )
    outbox = Outbox(reports)
    logging.getLogger().addHandler(TaskLogHandler(outbox))
    for handler in logging.getLogger().handlers:
        handler.addFilter(masker)
    orders.setblocking(False)
    task_runtime.current = SocketRuntime(asks)

    async def serve() -> None:
        record_turns(asyncio.get_running_loop(), turns, _trigger_id.get)
        await TriggerLoop(orders, outbox).serve()

    asyncio.run(serve())
    outbox.close()


if __name__ == "__main__":
    main(sys.argv[1:])
