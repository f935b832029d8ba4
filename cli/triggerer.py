"""``triggerer``: watches what deferred tasks wait for."""

from __future__ import annotations

import click

from .command import command, daemon_options


@command("triggerer")
@click.option("--capacity", type=click.IntRange(min=1), help="Triggers at once.")
@click.option("-s", "--skip-serve-logs", is_flag=True, hidden=True)
@click.option("-d", "--dev", is_flag=True, hidden=True)
@click.option("--queues", hidden=True)
@daemon_options
def triggerer(
    capacity: int | None,
    daemon: bool,
    pid: str | None,
    stdout: str | None,
    stderr: str | None,
    log_file: str | None,
    **_accepted: object,
) -> int:
    """Run the triggers of deferred tasks, until SIGTERM or Ctrl-C.

    Several may run; each takes what no other one has.
    """
    from ..control.schema import require_database
    from ..runtime.supervise.log_folder import check_log_folder
    from ..runtime.supervise.triggerer_main import main
    from ..scheduler.service_log import configure_service_log
    from .neighbours import refuse_airflow
    from .notices import print_notices

    refuse_airflow()
    print_notices()
    check_log_folder()
    require_database()
    if daemon:
        from .daemon import detach

        detach("triggerer", pid=pid, stdout=stdout, stderr=stderr, log_file=log_file)
    configure_service_log("triggerer")
    return main(capacity=capacity)
