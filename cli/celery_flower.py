"""``celery flower``: Celery's own page, where it is installed."""

from __future__ import annotations

import importlib.util

import click

from .command import command, daemon_options


@command("flower")
@click.option("-H", "--hostname", "host", help="Address; else [celery] flower_host.")
@click.option("-p", "--port", type=int, help="Port; else [celery] flower_port.")
@click.option("-u", "--url-prefix", help="Path before every address.")
@click.option("-A", "--basic-auth", metavar="USER:PASSWORD,...", help="Who may look.")
@click.option("-a", "--broker-api", metavar="URL", help="Management address of RabbitMQ.")
@click.option("-c", "--flower-conf", metavar="FILE", help="Flower's own settings.")
@daemon_options
def flower(
    host: str | None,
    port: int | None,
    url_prefix: str | None,
    basic_auth: str | None,
    broker_api: str | None,
    flower_conf: str | None,
    daemon: bool,
    pid: str | None,
    stdout: str | None,
    stderr: str | None,
    log_file: str | None,
) -> int:
    """Run Flower until SIGTERM or Ctrl-C. It shows messages; what runs is on our own pages."""
    from ..executors.loading import require_celery
    from ..sdk.configuration import conf

    require_celery()
    if importlib.util.find_spec("flower") is None:
        raise click.ClickException("Flower is not installed: pip install flower")
    from ..executors.celery.app import check_broker, make_app

    app = make_app()
    check_broker(app)
    options = {
        "address": host or conf.get("celery", "flower_host"),
        "port": port or conf.getint("celery", "flower_port"),
        "url-prefix": url_prefix or conf.get("celery", "flower_url_prefix"),
        "basic-auth": basic_auth or conf.get("celery", "flower_basic_auth"),
        "broker-api": broker_api,
        "conf": flower_conf,
    }
    if daemon:
        from .daemon import detach

        detach("flower", pid=pid, stdout=stdout, stderr=stderr, log_file=log_file)
    app.set_default()
    try:
        app.start(["flower", *(f"--{name}={value}" for name, value in options.items() if value)])
    except OSError as error:
        where = f"{options['address']}:{options['port']}"
        why = error.strerror or error
        raise click.ClickException(
            f"Flower cannot listen on {where} ([celery] flower_host, flower_port): {why}"
        ) from error
    return 0
