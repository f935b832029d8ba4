"""The triggerer as a process: real store, wall clock, bells, a process for triggers."""

from __future__ import annotations

import os
import signal
import socket
import time

from ...database.clock import database_clock
from ...database.store import open_store
from ...sdk.configuration import conf, home
from ...sdk.executor_names import TRIGGERER
from .progress import Progress
from .runner_main import os_settings
from .runner_slot import is_proven_dead, new_identity
from .task_environment import without_secrets
from .trigger_process import OsTriggerProcess
from .triggerer import Triggerer, TriggererSettings


def main(*, capacity: int | None = None, progress: Progress | None = None) -> int:
    """Run until SIGTERM or SIGINT; return the exit code.

    Args:
        capacity: triggers at once; None: as configured.
        progress: where each turn is noted.
    """
    settings = TriggererSettings(
        capacity=capacity or conf.getint("triggerer", "capacity"),
        heartbeat_s=min(
            conf.getfloat("triggerer", "job_heartbeat_sec"),
            conf.getfloat("scheduler", "lease_s") / 6,
        ),
        sweep_s=conf.getfloat("scheduler", "sweep_s"),
    )
    woken, waker = socket.socketpair()
    for end in (woken, waker):
        end.setblocking(False)
    stops: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _frame: stops.append(number))
    signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
    store = open_store(service="triggerer")
    clock = database_clock(store)
    listener = store.listen("triggerer", home())
    places = os_settings()
    process = OsTriggerProcess(
        environment=without_secrets(os.environ),
        import_folders=places.import_folders,
        wake_fds=[listener, woken],
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
        while not stops:
            triggerer.turn()
            listener.drain()
            if progress is not None:
                progress.note(time.monotonic())
    finally:
        signal.set_wakeup_fd(-1)
        triggerer.close()
        listener.close()
        store.close()
    return 0
