"""The scheduler as a process: real store, wall clock, bells, executors."""

from __future__ import annotations

import logging
import selectors
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext

from ..database.bell import BellListener, bell_folder
from ..database.clock import database_clock
from ..database.engine import is_sqlite
from ..database.settings import settings_from_configuration
from ..database.store import Store, open_store
from ..database.values import WorkerRow
from ..executors.base import Executor
from ..runtime.supervise.progress import Progress
from ..runtime.supervise.runner_slot import is_proven_dead, new_identity
from ..sdk.clock import Clock, WallClock
from ..sdk.configuration import conf, home
from .advance_runs import AdvanceRuns
from .beat import Beat
from .check_slas import CheckSlas
from .create_asset_runs import CreateAssetRuns
from .create_due_runs import CreateDueRuns
from .expire_claims import ExpireClaims
from .expire_triggers import ExpireTriggers
from .health_signs import SignsOfLife, health_address
from .hint_executors import HintExecutors
from .lease_judge import LeaseJudge
from .loop import Scheduler
from .plan_next_runs import PlanNextRuns
from .queue_task_instances import QueueTaskInstances
from .reap_workers import ReapWorkers
from .remember_history import RememberHistory
from .report_metrics import ReportMetrics
from .standby import FileLock
from .start_queued_runs import StartQueuedRuns
from .step import Step
from .stop_signal import StopSignal
from .telemetry import Telemetry, make_telemetry

log = logging.getLogger(__name__)

STANDBY_INTERVAL_S = 0.5


def main(
    executors: Mapping[str, Executor],
    *,
    num_runs: int = -1,
    progress: Progress | None = None,
) -> int:
    """Schedule until SIGTERM or SIGINT; return the exit code.

    Args:
        executors: by the name under which the store queues; they are started and stopped here.
        num_runs: passes of the loop until it ends by itself, -1: for ever.
        progress: where each pass is noted.

    Raises:
        ConfigurationError: the health server's port is none.
    """
    signs = SignsOfLife(WallClock(), conf.getfloat("scheduler", "scheduler_health_check_threshold"))
    with _health_server(signs):
        return _schedule(executors, num_runs, progress or Progress(), signs)


def _health_server(signs: SignsOfLife) -> AbstractContextManager[object]:
    address = health_address()
    if address is None:
        return nullcontext()
    from .health_server import HealthServer  # most schedulers need none

    return HealthServer(signs, *address)


def _schedule(
    executors: Mapping[str, Executor], num_runs: int, progress: Progress, signs: SignsOfLife
) -> int:
    stop = StopSignal()
    lock = FileLock(bell_folder(home()) / "scheduler.lock")
    # On PostgreSQL any number of schedulers work side by side.
    if is_sqlite(settings_from_configuration().url):

        def note_standing_by() -> None:
            progress.note(time.monotonic())
            signs.note()

        if not _wait_for_lock(lock, stop, note_standing_by):
            return 0
    store = open_store(service="scheduler")
    clock = database_clock(store)
    telemetry = make_telemetry()
    for executor in executors.values():
        executor.start()
    try:
        scheduler = make_scheduler(store, clock, executors, telemetry, on_beat=signs.note)
        bell = store.listen("scheduler", home())
        _loop(scheduler, bell, stop, num_runs, lambda: progress.note(clock.monotonic()))
    finally:
        for executor in executors.values():
            executor.stop(grace_s=0)
        if telemetry is not None:
            telemetry.close()
        store.close()
        lock.release()
    return 0


def make_scheduler(
    store: Store,
    clock: Clock,
    executors: Mapping[str, Executor],
    telemetry: Telemetry | None = None,
    on_beat: Callable[[], None] | None = None,
) -> Scheduler:
    """Put the steps together, in the order in which work flows through them.

    Args:
        on_beat: called when the scheduler has written its sign of life.
    """
    lease_s = store.settings.lease_s
    own = new_identity("", (), 0)

    def is_gone(worker: WorkerRow) -> bool:
        return is_proven_dead(worker, own)

    steps: list[Step] = [ReapWorkers(store, clock, LeaseJudge(lease_s), is_gone)]
    if store.settings.home is not None:
        path = store.settings.home / "run" / "newest_event"
        steps.append(RememberHistory(store, clock, path))
    if conf.getboolean("scheduler", "use_job_schedule"):
        steps += [PlanNextRuns(store), CreateDueRuns(store), CreateAssetRuns(store)]
    steps += [
        StartQueuedRuns(store, clock),
        AdvanceRuns(store),
        ExpireClaims(store),
        CheckSlas(store, clock),
        ExpireTriggers(store, clock, conf.getfloat("scheduler", "trigger_timeout_check_interval")),
        QueueTaskInstances(store),
        HintExecutors(
            executors, store, store.settings.executors, conf.getfloat("scheduler", "rehint_s")
        ),
        ReportMetrics(
            store,
            clock,
            gauge_interval_s=conf.getfloat("scheduler", "pool_metrics_interval"),
            is_statsd_on=conf.getboolean("metrics", "statsd_on"),
            sink=telemetry.take if telemetry is not None else None,
        ),
        Beat(store, clock, "scheduler", on_beat),  # written when all else has been read
    ]
    return Scheduler(store, clock, steps, sweep_s=conf.getfloat("scheduler", "sweep_s"))


def _wait_for_lock(lock: FileLock, stop: StopSignal, note_progress: Callable[[], None]) -> bool:
    """Stand by until no other scheduler of this home is left; False if told to stop."""
    is_told = False
    selector = selectors.DefaultSelector()
    selector.register(stop.fileno(), selectors.EVENT_READ)
    while not stop.count:
        if lock.acquire():
            if is_told:
                log.info("the other scheduler is gone; this one takes over")
            return True
        if not is_told:
            is_told = True
            log.info("standing by: the scheduler with pid %s is at work", lock.holder())
        note_progress()
        selector.select(STANDBY_INTERVAL_S)
        stop.drain()
    return False


def _loop(
    scheduler: Scheduler,
    bell: BellListener,
    stop: StopSignal,
    num_runs: int,
    note_progress: Callable[[], None],
) -> None:
    selector = selectors.DefaultSelector()
    selector.register(bell.fileno(), selectors.EVENT_READ)
    selector.register(stop.fileno(), selectors.EVENT_READ)
    passes = 0
    try:
        while not stop.count and passes != num_runs:
            scheduler.tick()
            note_progress()
            passes += 1
            selector.select(scheduler.wait_s())
            bell.drain()
            stop.drain()
    finally:
        bell.close()
