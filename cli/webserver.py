"""``webserver`` and ``api-server``: the page and its API."""

from __future__ import annotations

import click

from .command import command, daemon_options


def _make_admin() -> None:
    """Make an admin at the first start, where nobody could sign in; show the password once."""
    from ..control.services import open_services
    from ..control.users import ensure_admin
    from ..sdk.configuration import conf

    opened = open_services("user:first start")
    try:
        name = conf.get("standalone", "admin_username")
        password = ensure_admin(opened, name)
    finally:
        opened.store.close()
    if password is not None:
        click.echo(f"Sign in as {name} with the password {password} (shown this once)", err=True)


@command("webserver")
@click.option("-p", "--port", type=int, help="Else [api] port.")
@click.option("-H", "--hostname", "--host", "host", help="Else [api] host.")
@click.option("-w", "--workers", type=int, help="Processes; else [api] workers.")
@click.option("-t", "--worker-timeout", type=int, hidden=True)
@click.option("-k", "--workerclass", hidden=True)
@click.option("-A", "--access-logfile", hidden=True)
@click.option("-E", "--error-logfile", hidden=True)
@click.option("-L", "--access-logformat", hidden=True)
@click.option("--ssl-cert", metavar="FILE", help="Serve https with this certificate (PEM).")
@click.option("--ssl-key", metavar="FILE", help="Its key (PEM).")
@click.option("--apps", hidden=True)
@click.option("--log-config", hidden=True)
@click.option("--proxy-headers", is_flag=True, hidden=True)
@click.option("-d", "--debug", "--dev", is_flag=True, hidden=True)
@daemon_options
def webserver(
    port: int | None,
    host: str | None,
    workers: int | None,
    ssl_cert: str | None,
    ssl_key: str | None,
    daemon: bool,
    pid: str | None,
    stdout: str | None,
    stderr: str | None,
    log_file: str | None,
    **_accepted: object,
) -> int:
    """Serve the page and its API until SIGTERM or Ctrl-C."""
    from ..control.schema import require_database
    from ..scheduler.service_log import configure_service_log
    from ..sdk.configuration import conf
    from ..webserver.address import check_address, shown_address
    from ..webserver.serve import tls_options
    from .neighbours import refuse_airflow
    from .notices import print_notices
    from .service_parts import serve_web

    for name, value in (("ssl_cert", ssl_cert), ("ssl_key", ssl_key)):
        if value:
            conf.set("api", name, value)
    address = host or conf.get("api", "host"), conf.getint("api", "port") if port is None else port
    check_address(*address)
    tls_options()  # a wrong certificate is said before anything is made
    refuse_airflow()
    print_notices()
    require_database()
    _make_admin()
    scheme = "https" if conf.get("api", "ssl_cert") else "http"
    click.echo(f"The page is at {scheme}://{shown_address(*address)}", err=True)
    if daemon:
        from .daemon import detach

        detach("webserver", pid=pid, stdout=stdout, stderr=stderr, log_file=log_file)
    configure_service_log("web")
    return serve_web(*address, workers=workers)
