"""``tradewind standalone``: everything on this machine, by one command.

One parent prepares the database, says where the page is, and keeps the others alive.
"""

from __future__ import annotations

import logging
import secrets
import sys
import time
from collections.abc import Callable, Mapping

from ..database.migrate import prepare_database
from ..database.store import open_store
from ..executors.base import Executor
from ..runtime.supervise.progress import Progress
from ..sdk.clock import WallClock
from ..sdk.configuration import conf, dags_folder, home
from . import parse_main, scheduler_main
from .process_keeper import Member, ProcessKeeper
from .service_member import service_member
from .service_thread import COLD_START_S, Service, ServiceThread

log = logging.getLogger(__name__)


def run_standalone(
    *,
    executors: Callable[[], Mapping[str, Executor]],
    run_runner: Callable[[Progress], int] | None,
    ship_logs: Callable[[], int] | None,
    run_triggerer: Service,
    serve_web: Callable[[str, int, Progress], int],
    host: str,
    port: int,
    say: Callable[[str], None],
) -> int:
    """Run scheduler, parser, runner, triggerer and page until Ctrl-C; return the exit code.

    Args:
        executors: makes the executors, in the scheduler's own process.
        run_runner: the runner's main function, which notes its turns; None: no executor runs
            tasks on this machine.
        ship_logs: what ships complete logs elsewhere; None: they stay.
        run_triggerer: the triggerer's, beside the parser in one process.
        serve_web: serves the page at host and port until SIGTERM.
        say: shows one line to the person who started us.

    Raises:
        DatabaseError: the database cannot be used.
    """
    home().mkdir(parents=True, exist_ok=True)
    dags_folder().mkdir(parents=True, exist_ok=True)
    password = _prepare()
    # Nothing can be deferred yet in a home that is new; elsewhere triggers wait already.
    triggerer_from_s = 0.0 if password is None else time.monotonic() + COLD_START_S

    def run_scheduler(progress: Progress) -> int:
        return scheduler_main.main(executors(), progress=progress)

    def run_parser(progress: Progress) -> int:
        triggerer = ServiceThread("triggerer", run_triggerer, not_before_s=triggerer_from_s)
        with triggerer:
            return parse_main.main(progress=triggerer.progress_of_both(progress))

    def run_web(progress: Progress) -> int:
        return serve_web(host, port, progress)

    members = [
        service_member("parser", run_parser),
        service_member("scheduler", run_scheduler),
        service_member("web", run_web),
    ]
    if run_runner is not None:
        members.insert(1, service_member("runner", run_runner, has_own_session=True))
    if ship_logs is not None:
        members.append(Member("shipper", ship_logs, is_last=True))
    _welcome(say, host, port, password)
    keeper = ProcessKeeper(
        members,
        WallClock(),
        restart_delay_s=conf.getfloat("standalone", "restart_delay_s"),
        hang_timeout_s=conf.getfloat("standalone", "hang_timeout_s"),
        say=say,
    )
    code = keeper.run()
    say("stopped" if code == 0 else "killed")
    return code


def _prepare() -> str | None:
    """Make the database and, at the first start, the administrator; return a new password.

    The password is kept nowhere but as its hash: ``users create`` and ``users reset-password``
    help whoever lost it.
    """
    prepare_database()
    # Closed again before anything is forked: no engine may be shared by two processes.
    store = open_store(clock=WallClock())
    try:
        if store.users.count():
            return None
        password = secrets.token_urlsafe(12)
        name = conf.get("standalone", "admin_username")
        now = store.clock.now()
        store.users.create(username=name, password=password, roles=["Admin"], now=now)
    finally:
        store.close()
    return password


def _welcome(say: Callable[[str], None], host: str, port: int, password: str | None) -> None:
    shown = "localhost" if host in ("0.0.0.0", "::", "") else host  # noqa: S104 - shown only
    say(f"Tradewind is starting: http://{shown}:{port}")
    if password is not None:
        name = conf.get("standalone", "admin_username")
        say(f"Log in as {name} with the password {password} (shown this once)")
    say(f"DAG files go into {dags_folder()}. Press Ctrl-C to stop.")
    sys.stdout.flush()
