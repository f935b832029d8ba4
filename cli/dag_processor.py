"""``dag-processor``: only the parser of DAG files."""

from __future__ import annotations

import click

from .command import command, daemon_options, folder_options


@command("dag-processor")
@click.option("-n", "--num-runs", type=int, default=-1, show_default=True, help="Passes; -1: ever.")
@click.option("-p", "--do-pickle", is_flag=True, hidden=True)
@click.option("-d", "--dev", is_flag=True, hidden=True)
@folder_options
@daemon_options
def dag_processor(
    num_runs: int,
    daemon: bool,
    pid: str | None,
    stdout: str | None,
    stderr: str | None,
    log_file: str | None,
    **_accepted: object,
) -> int:
    """Keep the stored DAGs equal to the files, until SIGTERM or Ctrl-C.

    The scheduler brings a parser of its own; whichever comes second stands by.
    """
    from ..control.schema import require_database
    from ..runtime.supervise.log_folder import check_log_folder
    from ..scheduler.parse_main import main
    from ..scheduler.service_log import configure_service_log
    from .neighbours import refuse_airflow
    from .notices import print_notices

    refuse_airflow()
    print_notices()
    check_log_folder()
    require_database()
    if daemon:
        from .daemon import detach

        detach("dag-processor", pid=pid, stdout=stdout, stderr=stderr, log_file=log_file)
    configure_service_log("parser")
    return main(num_runs=num_runs)
