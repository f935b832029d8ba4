"""The runner process: ``python -m tradewind.runtime.supervise.runner_main``.

It has a session of its own and survives whoever started it; the slot's lock file says where it
is. SIGTERM or SIGINT: no new work, running tasks get the shutdown grace, then it ends.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from ...database.bell import BellListener, bell_folder
from ...database.clock import database_clock
from ...database.store import Store, open_store
from ...database.values import WorkerIdentity
from ...sdk.clock import Clock
from ...sdk.configuration import conf, dags_folder, home
from ...sdk.errors import ConfigurationError
from ...sdk.executor_names import LOCAL
from ...sdk.log_store import is_remote
from ..task import process_hygiene
from . import process_groups
from .entry_journal import EntryJournal
from .hint_desk import HintDesk
from .hosts import HostSettings
from .hung_holder import HungHolder
from .lease import LeaseRenewer
from .log_shipping import shipping_notes
from .open_logs import OpenLogs
from .os_processes import OsProcesses
from .os_settings import OsSettings
from .progress import Progress
from .runner import Runner
from .runner_settings import RunnerSettings
from .runner_slot import RunnerSlot, is_proven_dead, new_identity
from .spool import Spool
from .task_environment import without_secrets

log = logging.getLogger(__name__)

STANDBY_INTERVAL_S = 0.5
#: What "no limit" means to one runner.
SLOTS_UNLIMITED = 10_000
#: Airflow's name for a Local executor that runs one task at a time.
SEQUENTIAL_EXECUTOR = "SequentialExecutor"


@dataclass(frozen=True, slots=True)
class RunnerPlan:
    """Which runner this is to be. The default: the one runner of this machine, for Local."""

    #: The executor, by its canonical name, whose work it runs.
    executor: str = LOCAL
    #: Which queues to serve; None: all.
    queues: tuple[str, ...] | None = None
    #: One runner of each name lives at a time in a home.
    slot_name: str = "runner"
    #: Where another runner is alive, wait for its place instead of ending.
    is_standby: bool = True
    #: How many tasks at once; None: as [execution] and [core] parallelism say.
    slots: int | None = None
    #: How long tasks may go on after SIGTERM, in seconds.
    drain_s: float = 0.0
    #: It claims what forwarders bring to its desk, not what it finds.
    has_desk: bool = False
    #: Where its logs are served.
    log_url: str = ""


def desk_path(slot_name: str) -> Path:
    """Return the socket of a runner's desk."""
    return bell_folder(home()) / f"{slot_name}.desk"


def main(
    home_folder: Path | None = None,
    plan: RunnerPlan | None = None,
    *,
    progress: Progress | None = None,
) -> int:
    """Run until asked to stop; return an exit code.

    Args:
        home_folder: of the metadata database and the run folder; None: the configured home.
        progress: where each turn is noted.
    """
    plan = plan or RunnerPlan()
    folder = home_folder or home()
    slot = RunnerSlot(folder, plan.slot_name)
    if not _wait_for(slot, progress, is_standby=plan.is_standby):
        return 0
    process_hygiene.become_subreaper()
    settings = runner_settings(plan)
    store = open_store(service="runner")
    clock = database_clock(store)
    journal = EntryJournal(slot.entry_journal)
    listener: BellListener = (
        HintDesk(desk_path(plan.slot_name)) if plan.has_desk else store.listen("runner", folder)
    )
    runner, processes = _make_runner(plan, slot, settings, store, clock, journal, listener)
    renewer = LeaseRenewer(
        runner.lease,
        lambda: open_store(clock=clock, service="renewer").workers,
        clock,
        lease_s=settings.lease_s,
        heartbeat_s=settings.heartbeat_s,
        # All tasks die with the runner; whoever keeps it starts another.
        on_dead_end=(lambda: os.kill(os.getpid(), signal.SIGKILL)) if settings.is_strict else None,
    )
    _stop_on_signals(runner, processes)
    try:
        runner.start()
        renewer.start()
        while not runner.is_done:
            runner.turn()
            if progress is not None:
                progress.note(time.monotonic())
    finally:
        renewer.stop()
        signal.set_wakeup_fd(-1)
        runner.close()
        listener.close()
        journal.close()
        store.close()
        slot.release()
    return 0


def _make_runner(
    plan: RunnerPlan,
    slot: RunnerSlot,
    settings: RunnerSettings,
    store: Store,
    clock: Clock,
    journal: EntryJournal,
    listener: BellListener,
) -> tuple[Runner, OsProcesses]:
    """Put the runner together, and kill what its predecessors in this slot left."""

    def draw_identity() -> WorkerIdentity:
        drawn = new_identity(plan.executor, plan.queues or (), settings.slots, plan.log_url)
        slot.remember(drawn.id)
        return drawn

    predecessors = slot.remembered()
    identities = [draw_identity()]
    own_id = identities[0].id
    process_groups.kill_leftovers(slot.id, own_id)
    environment = without_secrets(os.environ)
    environment[process_groups.RUNNER_VARIABLE] = process_groups.runner_mark(slot.id, own_id)
    processes = OsProcesses(
        os_settings(),
        clock,
        journal=journal.descriptor,
        open_logs=OpenLogs(slot.open_logs),
        bell=listener,
        environment=environment,
    )
    runner = Runner(
        store=store,
        clock=clock,
        processes=processes,
        make_identity=lambda: identities.pop() if identities else draw_identity(),
        # The journal knows of this slot's attempts only: others are for others to judge.
        is_dead=lambda row, own: (
            (predecessors is None or row.id in predecessors) and is_proven_dead(row, own)
        ),
        spool=Spool(slot.spool_folder),
        journal=journal,
        settings=settings,
        desk=listener if isinstance(listener, HintDesk) else None,
    )
    return runner, processes


def _wait_for(slot: RunnerSlot, progress: Progress | None, *, is_standby: bool) -> bool:
    """Take the slot; False: another has it, and this one is not to stand by."""
    hung = HungHolder(slot, lambda: open_store(service="runner"))
    began_s = time.monotonic()
    while not slot.acquire():
        if not is_standby:
            return False
        hung.look(time.monotonic() - began_s)
        if progress is not None:
            progress.note(time.monotonic())
        time.sleep(STANDBY_INTERVAL_S)  # a signal's default action ends a runner that waits
    return True


def runner_settings(plan: RunnerPlan) -> RunnerSettings:
    """Read [execution] and what overrides it (``docs/configuration.md``)."""
    is_sequential = any(
        named.endswith(SEQUENTIAL_EXECUTOR) for named in conf.getlist("core", "executor")
    )
    slots = conf.getint("execution", "slots") or conf.getint("core", "parallelism")
    kill_grace_s = conf.getfloat("execution", "kill_grace_s")
    if conf.find("core", "killed_task_cleanup_time")[0] is not None:  # somebody has set it
        kill_grace_s = conf.getfloat("core", "killed_task_cleanup_time")
    lease_s = conf.getfloat("scheduler", "lease_s")
    heartbeat_s = lease_s / 6
    sweep_s = conf.getfloat("scheduler", "sweep_s")
    return RunnerSettings(
        slots=plan.slots or (1 if is_sequential else slots or SLOTS_UNLIMITED),
        queues=plan.queues,
        sweep_s=sweep_s,
        # With each heartbeat, or a thousand workers would ask a thousand times a second.
        fence_s=heartbeat_s if plan.has_desk else sweep_s,
        heartbeat_s=heartbeat_s,
        lease_s=lease_s,
        is_strict=_is_strict(lease_s, kill_grace_s),
        kill_grace_s=kill_grace_s,
        shutdown_grace_s=conf.getfloat("execution", "shutdown_grace_s"),
        drain_s=plan.drain_s,
        entry_timeout_s=conf.getfloat("core", "dagbag_import_timeout")
        + conf.getfloat("execution", "import_timeout_s"),
    )


def _is_strict(lease_s: float, kill_grace_s: float) -> bool:
    mode = str(conf.get("execution", "fence_mode"))
    if mode not in ("soft", "strict"):
        raise ConfigurationError(f"[execution] fence_mode is {mode!r}: use soft or strict")
    if mode == "strict" and kill_grace_s > 0.4 * lease_s:
        raise ConfigurationError(
            f"[execution] fence_mode = strict needs a kill_grace_s of at most {0.4 * lease_s:g}"
            f" (0.4 of [scheduler] lease_s), not {kill_grace_s:g}"
        )
    return mode == "strict"


def os_settings() -> OsSettings:
    """Read where things are, and how tasks are started."""
    folders = [dags_folder(), Path(conf.get("core", "plugins_folder")), home() / "config"]
    is_new = conf.getboolean("core", "execute_tasks_new_python_interpreter")
    method = str(conf.get("execution", "start_method"))
    if method not in ("fork", "spawn"):
        raise ConfigurationError(f"[execution] start_method is {method!r}: use fork or spawn")
    return OsSettings(
        log_folder=Path(conf.get("logging", "base_log_folder")),
        dags_folder=dags_folder(),
        import_folders=[str(folder) for folder in folders],
        is_spawning=is_new or method == "spawn",
        spawned_dags=conf.getlist("execution", "spawned_dags"),
        folder_mode=int(conf.get("logging", "file_task_handler_new_folder_permissions"), 8),
        file_mode=int(conf.get("logging", "file_task_handler_new_file_permissions"), 8),
        hosts=HostSettings(
            hosts_max=conf.getint("execution", "hosts_max"),
            memory_max_bytes=conf.getint("execution", "hosts_memory_mb") * 1024 * 1024,
            idle_s=conf.getfloat("execution", "host_idle_s"),
            age_max_s=conf.getfloat("execution", "host_max_age_s"),
        ),
        shipping=shipping_notes() if is_remote() else None,
    )


def _stop_on_signals(runner: Runner, processes: OsProcesses) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: runner.request_stop())
    # Not ignored: its arrival has to wake the loop, which reaps.
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    signal.set_wakeup_fd(processes.wakeup_fd(), warn_on_full_buffer=False)


if __name__ == "__main__":
    logging.basicConfig(
        level="INFO", format="%(asctime)s %(levelname)s %(name)s - %(message)s", stream=sys.stderr
    )
    sys.exit(main(plan=RunnerPlan(is_standby=False)))
