"""A Celery worker of ours: a runner, a consumer that forwards to it, and an endpoint for logs.

One parent keeps the three alive, as ``standalone`` does. SIGTERM drains: nothing new is taken,
running tasks end in their own time (``[celery] worker_drain_s``), and their logs stay readable
meanwhile; a second SIGTERM stops them within the shutdown grace.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from ...runtime.supervise.log_folder import check_log_folder
from ...runtime.supervise.progress import Progress
from ...runtime.supervise.runner_main import RunnerPlan, desk_path
from ...runtime.supervise.runner_slot import RunnerSlot
from ...sdk.configuration import conf, home
from ...sdk.errors import ConfigurationError
from ...sdk.executor_names import CELERY
from ...sdk.log_store import is_remote, open_log_store

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WorkerPlan:
    """What one worker is, as the command line and the settings say."""

    queues: tuple[str, ...]
    slots: int
    name: str | None = None
    #: None: logs are not served.
    log_port: int | None = None

    @property
    def slot_name(self) -> str:
        """The name of the runner's place in this home."""
        return (
            "worker" if self.name is None else f"worker-{re.sub(r'[^A-Za-z0-9_-]', '_', self.name)}"
        )


def drain_s() -> float:
    """Return how long tasks of a worker that stops may go on; no limit: infinite."""
    limit_s = conf.getfloat("celery", "worker_drain_s")
    return limit_s if limit_s > 0 else math.inf


def check_worker(plan: WorkerPlan) -> None:
    """Refuse a worker that could not work here, before anything is started.

    Raises:
        ConfigurationError: a setting is wrong, the broker is away, or the worker runs already.
    """
    from .app import check_broker, make_app, node_name

    holder = RunnerSlot(home(), plan.slot_name).holder()
    if holder is not None:
        raise ConfigurationError(
            f"This worker runs already in {home()}, as process {holder};"
            " give a second one a name of its own: --celery-hostname"
        )
    check_log_folder()
    if is_remote():
        open_log_store()
    app = make_app()
    check_broker(app)
    if plan.name is not None and conf.getboolean("celery", "worker_enable_remote_control"):
        node = node_name(plan.name)
        if app.control.ping(destination=[node], timeout=0.5):
            raise ConfigurationError(
                f"A worker named {node} is at work already; choose another name"
            )


def run_runner(plan: WorkerPlan, progress: Progress) -> int:
    """Run the worker's runner until SIGTERM, and until its tasks have ended."""
    from ...runtime.supervise import runner_main

    url = ""
    if plan.log_port is not None:
        from ...runtime.supervise.log_endpoint import log_url

        url = log_url(plan.log_port)
    return runner_main.main(
        plan=RunnerPlan(
            executor=CELERY,
            queues=plan.queues,
            slot_name=plan.slot_name,
            slots=plan.slots,
            drain_s=drain_s(),
            has_desk=True,
            log_url=url,
        ),
        progress=progress,
    )


def run_consumer(plan: WorkerPlan) -> int:
    """Listen to the broker until SIGTERM."""
    from .consumer import ConsumerPlan
    from .consumer import run_consumer as run

    return run(
        ConsumerPlan(
            queues=plan.queues,
            desk=desk_path(plan.slot_name),
            name=plan.name,
        )
    )


def serve_logs(plan: WorkerPlan) -> Callable[[], int] | None:
    """Return what serves the logs, None where nothing does."""
    if plan.log_port is None:
        return None
    from ...runtime.supervise.log_endpoint import serve_logs as serve

    port = plan.log_port
    return lambda: serve(port)
