"""The triggerer as a process: real store, wall clock, bells, a process for triggers."""

from __future__ import annotations

import os
import time

from ...database.clock import database_clock
from ...database.store import open_store
from ...sdk.configuration import conf, home
from ...sdk.executor_names import TRIGGERER
from .progress import Progress
from .runner_main import os_settings
from .runner_slot import is_proven_dead, new_identity
from .stop_request import StopRequest
from .task_environment import without_secrets
from .trigger_process import OsTriggerProcess
from .triggerer import Triggerer, TriggererSettings


def main(
    *,
    capacity: int | None = None,
    progress: Progress | None = None,
    stop: StopRequest | None = None,
) -> int:
    """Run until SIGTERM or SIGINT; return the exit code.

    Args:
        capacity: triggers at once; None: as configured.
        progress: where each turn is noted.
        stop: run until this is made, in a thread beside another loop, which has the signals.
    """
    if stop is not None:
        return _run(capacity, progress, stop)
    stop = StopRequest()
    stop.listen_to_signals()
    try:
        return _run(capacity, progress, stop)
    finally:
        stop.ignore_signals()


def _run(capacity: int | None, progress: Progress | None, stop: StopRequest) -> int:
    settings = TriggererSettings(
        capacity=capacity or conf.getint("triggerer", "capacity"),
        heartbeat_s=min(
            conf.getfloat("triggerer", "job_heartbeat_sec"),
            conf.getfloat("scheduler", "lease_s") / 6,
        ),
        sweep_s=conf.getfloat("scheduler", "sweep_s"),
    )
    store = open_store(service="triggerer")
    clock = database_clock(store)
    listener = store.listen("triggerer", home())
    places = os_settings()
    process = OsTriggerProcess(
        environment=without_secrets(os.environ),
        import_folders=places.import_folders,
        wake_fds=[listener, stop],
        write_log=places.append_to_log,
    )
    triggerer = Triggerer(
        store=store,
        clock=clock,
        process=process,
        make_identity=lambda: new_identity(TRIGGERER, (), settings.capacity),
        settings=settings,
        is_dead=is_proven_dead,
    )
    try:
        triggerer.start()
        while not stop.is_made:
            triggerer.turn()
            listener.drain()
            if progress is not None:
                progress.note(time.monotonic())
    finally:
        triggerer.close()
        listener.close()
        store.close()
    return 0
