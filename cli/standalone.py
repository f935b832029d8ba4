"""``standalone``: everything on this machine, by one command."""

from __future__ import annotations

import click

from .command import command


@command("standalone")
@click.option("-p", "--port", type=int, help="Port of the page; else [api] port.")
@click.option("-H", "--host", "--hostname", "host", help="Address of the page; else [api] host.")
def standalone(port: int | None, host: str | None) -> int:
    """Make the database, and run scheduler, parser, runner and page until Ctrl-C.

    The first time it makes an admin, and prints the password once.
    """
    from ..runtime.supervise import runner_main, triggerer_main  # noqa: F401 - shared by fork
    from ..runtime.supervise.log_folder import check_log_folder
    from ..scheduler.health_signs import health_address
    from ..scheduler.standalone import run_standalone
    from ..sdk.configuration import conf
    from ..sdk.executor_names import LOCAL
    from ..webserver.address import check_address
    from .neighbours import refuse_airflow
    from .notices import print_notices
    from .service_parts import (
        executor_names,
        make_executors,
        run_runner,
        run_triggerer,
        serve_web,
        shipper,
    )

    refuse_airflow()
    print_notices()
    address = host or conf.get("api", "host"), conf.getint("api", "port") if port is None else port
    check_address(*address)
    names = executor_names()
    check_log_folder()
    health_address()
    return run_standalone(
        executors=make_executors,
        run_runner=run_runner if LOCAL in names else None,
        ship_logs=shipper(),
        run_triggerer=run_triggerer,
        serve_web=serve_web,
        host=address[0],
        port=address[1],
        say=lambda line: click.echo(line, err=False),
    )
