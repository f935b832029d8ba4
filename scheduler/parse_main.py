"""The parse manager as a process: real store, wall clock, zygote, folder watcher."""

from __future__ import annotations

import contextlib
import logging
import selectors
import time
from collections.abc import Callable
from pathlib import Path

from ..database.bell import BellListener, bell_folder
from ..database.clock import database_clock
from ..database.session_lock import SessionLock
from ..database.store import Store, open_store
from ..runtime.supervise import requests
from ..runtime.supervise.log_files import TaskLog
from ..runtime.supervise.outages import log_failure
from ..runtime.supervise.processes import Reply
from ..runtime.supervise.progress import Progress
from ..runtime.supervise.zygote_client import ZygoteClient
from ..runtime.task import protocol
from ..sdk.clock import Clock, next_round_s
from ..sdk.configuration import conf, home
from ..sdk.errors import TradewindError
from ..sdk.log_paths import callback_log_path
from .beat import Beat
from .callback_children import CallbackChildren
from .deliver_callbacks import DeliverCallbacks
from .deliver_events import DeliverEvents
from .delivery_journal import DeliveryJournal
from .folder_watch import FolderWatcher
from .parse_children import Answerer, ParseChildren, ParseLimits, make_zygote
from .parse_logs import ParseLogs
from .parse_manager import ParseManager
from .parse_settings import ParseSettings, load_parse_settings
from .quarantine import Quarantine
from .standby import FileLock
from .step import Tick
from .stop_signal import StopSignal

log = logging.getLogger(__name__)

STANDBY_INTERVAL_S = 0.5
TICK_MAX_S = 1.0
#: Within a second, when this process looks and writes (``next_round_s``).
PHASE_S = 0.5
#: Below the log folder.
LISTENER_LOG = "dag_processor/listeners.log"
#: What may be asked for while a file is imported; the rest needs a task instance.
_ALLOWED = frozenset({"get_variable", "get_connection", "set_variable", "delete_variable"})


def main(*, num_runs: int = -1, progress: Progress | None = None) -> int:
    """Keep the stored DAGs equal to the files until SIGTERM or SIGINT; return the exit code.

    Args:
        num_runs: end when the folder was taken in that often, -1: never.
        progress: where each pass is noted.
    """
    stop = StopSignal()
    lock = FileLock(bell_folder(home()) / "parser.lock")
    while True:
        # The zygote imports while we open the database: that is most of a cold start.
        zygote = make_zygote()
        if not _wait_for(lock, f"the parser with pid {lock.holder()}", stop, progress):
            zygote.stop()
            return 0
        if _parse(zygote, stop, num_runs, progress):
            lock.release()
            return 0
        log.warning("another parser of this database has taken over; standing by")


def _wait_for(
    lock: FileLock | SessionLock, holder: str, stop: StopSignal, progress: Progress | None
) -> bool:
    """Stand by until the lock is ours; False: told to stop."""
    is_told = False
    while not lock.acquire():
        if not is_told:
            is_told = True
            log.info("standing by: %s is at work", holder)
        if progress is not None:
            progress.note(time.monotonic())
        if _is_told_to_stop(stop, STANDBY_INTERVAL_S):
            return False
    return True


def _parse(
    zygote: ZygoteClient, stop: StopSignal, num_runs: int, progress: Progress | None
) -> bool:
    """Parse until told to stop; False: another parser of the same database has taken over."""
    store = open_store(service="parser")
    cluster_lock = store.parser_lock()
    if cluster_lock is not None and not _wait_for(cluster_lock, "another parser", stop, progress):
        zygote.stop()
        store.close()
        return True
    clock = database_clock(store)
    settings = load_parse_settings(conf)
    with contextlib.suppress(OSError):  # a home is made as it is needed; the scan reports the rest
        settings.roots[0].folder.mkdir(parents=True, exist_ok=True)
    limits = ParseLimits(settings.time_limit_s, settings.memory_limit_bytes)
    children = ParseChildren(zygote, clock, answerer(store, clock), limits)
    watcher = FolderWatcher([root.folder for root in settings.roots])
    bell = store.listen("parser", home())
    journal = DeliveryJournal(home() / "run" / "callbacks.called")
    called = _make_callback_children(store, clock, limits, journal)
    # Apart from callbacks: a listener that hangs must not hold one up.
    listening = _make_callback_children(store, clock, limits, journal)
    try:
        children.start()
        delivery = DeliverCallbacks(
            store=store,
            clock=clock,
            children=called,
            journal=journal,
            settings=settings,
            open_log=callback_log_opener(clock),
        )
        events = DeliverEvents(
            store=store,
            clock=clock,
            children=listening,
            settings=settings,
            cursor_path=home() / "run" / "listeners.cursor",
            open_log=listener_log_opener(clock),
        )
        manager = _make_manager(store, clock, children, settings, watcher, bell, delivery, events)
        for source in (watcher, bell, stop, called, listening):
            children.watch(source.fileno())
        if settings.is_watching:
            watcher.start()
        is_lost = _never if cluster_lock is None else cluster_lock.is_lost
        return _loop(manager, delivery, events, store, clock, stop, num_runs, progress, is_lost)
    finally:
        watcher.stop()
        children.stop()
        called.stop()
        listening.stop()
        journal.close()
        bell.close()
        if cluster_lock is not None:
            cluster_lock.release()
        store.close()


def _never() -> bool:
    return False


def _make_callback_children(
    store: Store, clock: Clock, limits: ParseLimits, journal: DeliveryJournal
) -> CallbackChildren:
    def answer(asked: protocol.Ask, scope: requests.RequestScope | None) -> Reply:
        if asked.method == "set_xcom":  # its try is over, and nothing fences what is left then
            try:
                store.xcoms.set(**asked.arguments, now=clock.now())
            except TradewindError as error:
                return Reply(error=str(error))
            return Reply()
        return requests.answer(asked.method, asked.arguments, store, scope, clock.now())

    return CallbackChildren(
        make_zygote,
        clock,
        answer,
        journal_fd=journal.descriptor,
        limits=limits,
    )


def _make_manager(
    store: Store,
    clock: Clock,
    children: ParseChildren,
    settings: ParseSettings,
    watcher: FolderWatcher,
    bell: BellListener,
    delivery: DeliverCallbacks,
    events: DeliverEvents,
) -> ParseManager:
    def has_changed() -> bool:
        if bell.drain():
            delivery.look_now()
        return watcher.drain()

    manager = ParseManager(
        store=store,
        clock=clock,
        children=children,
        settings=settings,
        ring=store.bell.ring,
        has_changed=has_changed,
        keep_output=ParseLogs(Path(conf.get("logging", "base_log_folder")), clock).keep,
        tell_error=events.note_import_error,
    )
    manager.start()
    return manager


def _loop(
    manager: ParseManager,
    delivery: DeliverCallbacks,
    events: DeliverEvents,
    store: Store,
    clock: Clock,
    stop: StopSignal,
    num_runs: int,
    progress: Progress | None,
    is_lost: Callable[[], bool],
) -> bool:
    beat = Beat(store, clock, "dag_processor")
    quarantine = Quarantine(clock)
    passes = 0
    _tell_listeners(events, None, quarantine)  # notes from where on they hear
    while not stop.count:
        if is_lost():
            return False
        now_s = clock.monotonic()
        manager.run_once(next_round_s(now_s, TICK_MAX_S, PHASE_S) - now_s)
        delivery.run()
        _tell_listeners(events, manager.hooks, quarantine)
        if progress is not None:
            progress.note(clock.monotonic())
        stop.drain()
        if not quarantine.is_held(beat.name):
            try:
                beat.run(Tick(now=clock.now(), is_sweep=True, quarantine=quarantine))
            except Exception:  # noqa: BLE001 - log_failure tells
                quarantine.hold(beat.name)
                log_failure(log, "the parser cannot write its heartbeat")
        if num_runs > 0 and manager.is_idle() and delivery.is_idle() and events.is_idle():
            passes += 1
            if passes >= num_runs:
                break
    return True


def _tell_listeners(
    events: DeliverEvents, hooks: frozenset[str] | None, quarantine: Quarantine
) -> None:
    if quarantine.is_held("listeners"):
        return
    try:
        events.run(hooks)
    except Exception:  # noqa: BLE001 - log_failure tells
        quarantine.hold("listeners")
        log_failure(log, "listeners cannot be called now")


def answerer(store: Store, clock: Clock) -> Answerer:
    """Return the function that answers what files ask for while they are imported."""

    def answer(message: bytes) -> bytes | None:
        asked = protocol.decode_task_message(message)
        if not isinstance(asked, protocol.Ask):
            return None
        if asked.method not in _ALLOWED:
            reply = protocol.Answer(
                error=f"{asked.method} is not available while a DAG file is imported"
            )
        else:
            found = requests.answer(asked.method, asked.arguments, store, None, clock.now())
            reply = protocol.Answer(value=found.value, error=found.error)
        return protocol.encode(reply)

    return answer


def callback_log_opener(clock: Clock) -> Callable[[str, str], TaskLog]:
    """Return the function that opens the log of the callbacks of one run."""
    return lambda dag_id, run_id: _open_log(callback_log_path(dag_id, run_id), clock)


def listener_log_opener(clock: Clock) -> Callable[[], TaskLog]:
    """Return the function that opens the log of what listeners print."""
    return lambda: _open_log(LISTENER_LOG, clock)


def _open_log(path: str | Path, clock: Clock) -> TaskLog:
    return TaskLog(
        Path(conf.get("logging", "base_log_folder")) / path,
        clock,
        folder_mode=int(conf.get("logging", "file_task_handler_new_folder_permissions"), 8),
        file_mode=int(conf.get("logging", "file_task_handler_new_file_permissions"), 8),
        owner="parser",
    )


def _is_told_to_stop(stop: StopSignal, wait_s: float) -> bool:
    selector = selectors.DefaultSelector()
    selector.register(stop.fileno(), selectors.EVENT_READ)
    selector.select(wait_s)
    stop.drain()
    return stop.count > 0
