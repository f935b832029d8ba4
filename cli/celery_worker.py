"""``celery worker`` and ``celery stop``: a worker on this machine."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .celery import queue_names
from .command import command, daemon_options

if TYPE_CHECKING:
    from ..executors.celery.worker import WorkerPlan

PID_NAME = "celery-worker"


@command("worker")
@click.option("-q", "--queues", help="Names with commas; else [operators] default_queue.")
@click.option("-c", "--concurrency", type=click.IntRange(min=1), help="Tasks at once.")
@click.option("-a", "--autoscale", metavar="MAX,MIN", help="Tasks at once, at most and at least.")
@click.option("-H", "--celery-hostname", "name", help="Name of this worker, if not the host's.")
@click.option("-u", "--umask", help="Octal mask of files that tasks make.")
@click.option("-s", "--skip-serve-logs", is_flag=True, help="Do not serve the logs written here.")
@click.option("--without-mingle", is_flag=True, hidden=True)  # ours never do either
@click.option("--without-gossip", is_flag=True, hidden=True)
@click.option("-t", "--team", hidden=True)
@daemon_options
def worker(
    queues: str | None,
    concurrency: int | None,
    autoscale: str | None,
    name: str | None,
    umask: str | None,
    skip_serve_logs: bool,
    daemon: bool,
    pid: str | None,
    stdout: str | None,
    stderr: str | None,
    log_file: str | None,
    **_accepted: object,
) -> int:
    """Run tasks that the Celery executor hands out, until SIGTERM or Ctrl-C.

    Then nothing new is taken, and running tasks end in their own time; a second signal stops them.
    """
    from ..control.schema import require_database
    from ..executors.celery.worker import WorkerPlan, check_worker
    from ..sdk.configuration import conf
    from .neighbours import refuse_airflow
    from .notices import print_notices
    from .service_parts import executor_names

    refuse_airflow()
    print_notices()
    _require_celery_executor(executor_names())
    require_database()
    port = None
    if not skip_serve_logs:
        from ..runtime.supervise.log_endpoint import choose_port

        port = choose_port()
    plan = WorkerPlan(
        queues=tuple(queue_names(queues or str(conf.get("operators", "default_queue")))),
        slots=_slots(concurrency, autoscale),
        name=name,
        log_port=port,
    )
    check_worker(plan)
    pid_path = _claim_pid_file(pid)
    if daemon:
        from .daemon import detach

        pid_path.unlink(missing_ok=True)
        detach(PID_NAME, pid=pid, stdout=stdout, stderr=stderr, log_file=log_file)
    else:
        pid_path.write_text(f"{os.getpid()}\n")
    mask = umask or conf.get("celery", "worker_umask", fallback=None)
    if mask:
        os.umask(int(str(mask), 8))
    try:
        return run_worker(plan)
    finally:
        pid_path.unlink(missing_ok=True)


def run_worker(plan: WorkerPlan) -> int:
    """Keep runner, consumer and log endpoint of a worker alive until SIGTERM."""
    from ..executors.celery import worker as parts
    from ..scheduler.process_keeper import STOP_TIMEOUT_S, Member, ProcessKeeper
    from ..scheduler.service_member import service_member
    from ..sdk.clock import WallClock
    from .service_parts import shipper

    members = [
        service_member("runner", lambda progress: parts.run_runner(plan, progress)),
        # Who is shut down through the broker ends well, and the rest of the worker with it.
        service_member(
            "consumer",
            lambda _progress: parts.run_consumer(plan),
            is_watched=False,
            ends_family=True,
        ),
    ]
    serve_logs = parts.serve_logs(plan)
    if serve_logs is not None:
        serve = serve_logs
        members.append(
            service_member("logs", lambda _progress: serve(), is_watched=False, is_last=True)
        )
    ship = shipper()
    if ship is not None:
        members.append(Member("shipper", ship, is_last=True))
    shown = ", ".join(plan.queues)
    click.echo(f"worker is starting: {plan.slots} tasks at once, of the queues {shown}")
    return ProcessKeeper(
        members,
        WallClock(),
        # Its runner ends by itself when the drain time and the grace are over.
        stop_timeout_s=parts.drain_s() + 2 * STOP_TIMEOUT_S,
        say=lambda line: click.echo(line, err=True),
    ).run()


@command("stop")
@click.option("--pid", metavar="FILE", help="File that holds the worker's process id.")
def stop(pid: str | None) -> None:
    """Tell the worker of this machine to take nothing new, and to end when its tasks have."""
    from .daemon import pid_file

    path = pid_file(PID_NAME, pid)
    try:
        number = int(path.read_text().strip())
        os.kill(number, signal.SIGTERM)
    except (OSError, ValueError):
        raise click.ClickException(f"No worker runs by the pid file {path}.") from None
    click.echo(f"Worker {number} stops when its tasks have ended.")


def _slots(concurrency: int | None, autoscale: str | None) -> int:
    """Return how many tasks run at once; processes exist only while tasks do."""
    from ..sdk.configuration import conf

    if concurrency is not None:
        return concurrency
    named = "--autoscale" if autoscale else "[celery] worker_autoscale"
    text = autoscale or conf.get("celery", "worker_autoscale", fallback=None)
    if text:
        try:
            return max(1, *(int(part) for part in str(text).split(",")))
        except (ValueError, TypeError):
            raise click.ClickException(f"{named} is not MAX,MIN: {text}") from None
    return conf.getint("celery", "worker_concurrency")


def _require_celery_executor(names: list[str]) -> None:
    from ..sdk.executor_names import CELERY

    if CELERY not in names:
        raise click.ClickException(
            f"[core] executor is {', '.join(names)}: a worker has nothing to do"
            " unless CeleryExecutor is among them."
        )


def _claim_pid_file(named: str | None) -> Path:
    from .daemon import pid_file, running_pid

    path = pid_file(PID_NAME, named)
    running = running_pid(path)
    if running is not None:
        raise click.ClickException(
            f"The pid file {path} belongs to process {running}; give this worker another: --pid"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
