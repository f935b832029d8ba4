"""``scheduler``: the scheduler with its parser and its runner."""

from __future__ import annotations

import click

from .command import command, daemon_options


@command("scheduler")
@click.option("-n", "--num-runs", type=int, default=-1, show_default=True, help="Passes; -1: ever.")
@click.option("-S", "--subdir", hidden=True)
@click.option("-s", "--skip-serve-logs", is_flag=True, hidden=True)
@click.option("-p", "--do-pickle", is_flag=True, hidden=True)
@click.option("-d", "--dev", is_flag=True, hidden=True)
@click.option("-i", "--only-idle", is_flag=True, hidden=True)
@daemon_options
def scheduler(
    num_runs: int,
    daemon: bool,
    pid: str | None,
    stdout: str | None,
    stderr: str | None,
    log_file: str | None,
    **_accepted: object,
) -> int:
    """Run the scheduler, and beside it the parser and the runner, until SIGTERM or Ctrl-C."""
    from ..control.schema import require_database
    from ..runtime.supervise.log_folder import check_log_folder
    from ..scheduler.health_signs import health_address
    from .neighbours import refuse_airflow
    from .notices import print_notices
    from .service_parts import executor_names, run_scheduler_family

    refuse_airflow()
    print_notices()
    executor_names()
    check_log_folder()
    health_address()  # a port that is none is told here, not by each process that is started
    require_database()
    if daemon:
        from .daemon import detach

        detach("scheduler", pid=pid, stdout=stdout, stderr=stderr, log_file=log_file)
    return run_scheduler_family(num_runs=num_runs)
