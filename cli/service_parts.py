"""How services are put together from their parts: the one place that knows all floors."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..executors.base import Executor
    from ..runtime.supervise.progress import Progress
    from ..runtime.supervise.stop_request import StopRequest


def executor_names() -> list[str]:
    """Return the executors that ``[core] executor`` names; asked before anything is started.

    Raises:
        ConfigurationError: one of them does not exist, or cannot be used as it is configured.
    """
    from ..executors.loading import check_executor
    from ..sdk.configuration import conf
    from ..sdk.executor_names import read_executor_names

    names = read_executor_names(conf.getlist("core", "executor")).canonical_names
    for name in names:
        check_executor(name)
    return names


def make_executors() -> Mapping[str, Executor]:
    """Return the executors that ``[core] executor`` names, by name.

    Raises:
        ConfigurationError: one of them does not exist.
    """
    from ..executors.loading import make_executor

    return {name: make_executor(name) for name in executor_names()}


def run_runner(progress: Progress | None = None) -> int:
    """Run the runner of the Local executor on this machine until SIGTERM."""
    from ..runtime.supervise.runner_main import main

    return main(progress=progress)


def shipper() -> Callable[[], int] | None:
    """Return what ships logs to where the settings say; None: they stay on this machine.

    Raises:
        ConfigurationError: the settings name a place that cannot be used.
    """
    from ..sdk.log_store import is_remote, open_log_store

    if not is_remote():
        return None
    open_log_store()
    from ..runtime.supervise.log_shipping import run_shipper
    from ..scheduler.service_log import configure_service_log

    def run_logged() -> int:
        configure_service_log("shipper")
        return run_shipper()

    return run_logged


def run_triggerer(progress: Progress, stop: StopRequest) -> int:
    """Run the triggers of deferred tasks in a thread, until *stop* is made."""
    from ..runtime.supervise.triggerer_main import main

    return main(progress=progress, stop=stop)


def serve_web(
    host: str, port: int, progress: Progress | None = None, workers: int | None = None
) -> int:
    """Serve the page until SIGTERM."""
    from ..control.services import open_services
    from ..sdk.configuration import conf
    from ..webserver.serve import serve

    count = workers or conf.getint("api", "workers")

    def note_turn() -> None:
        if progress is not None:
            progress.note(time.monotonic())

    services = open_services("system:web")
    serve(services, host=host, port=port, workers=count, on_turn=note_turn)
    return 0


def run_scheduler_family(
    *, num_runs: int = -1, has_parser: bool = True, has_schedule: bool = True
) -> int:
    """Run scheduler, runner and parser until SIGTERM or SIGINT; return the exit code.

    Args:
        num_runs: passes of the scheduler after which all ends; -1: none.
        has_schedule: make the runs that are due; without it only those that exist are run.
    """
    from ..scheduler import parse_main, scheduler_main
    from ..scheduler.process_keeper import Member, ProcessKeeper
    from ..scheduler.service_member import service_member
    from ..sdk.clock import WallClock
    from ..sdk.configuration import conf
    from ..sdk.executor_names import LOCAL

    def run_scheduler(progress: Progress) -> int:
        if not has_schedule:
            conf.set("scheduler", "use_job_schedule", "False")
        code = scheduler_main.main(make_executors(), num_runs=num_runs, progress=progress)
        if num_runs >= 0:
            os.kill(os.getppid(), signal.SIGTERM)
        return code

    def run_parser(progress: Progress) -> int:
        return parse_main.main(progress=progress)

    members = [service_member("scheduler", run_scheduler, is_restarted=num_runs < 0)]
    if LOCAL in executor_names():
        members.insert(0, service_member("runner", run_runner, has_own_session=True))
    ship = shipper()
    if ship is not None:
        members.append(Member("shipper", ship, is_last=True))
    if has_parser:
        members.append(service_member("parser", run_parser))
    return ProcessKeeper(members, WallClock()).run()
