"""``version``: ours; under the name ``airflow``, the Airflow release that we stand in for."""

from __future__ import annotations

import click

from .command import command


@command("version")
@click.pass_context
def version(context: click.Context) -> None:
    """Print the version.

    Called as ``airflow`` it prints the Airflow release whose behaviour Tradewind has, because
    scripts compare it.
    """
    from .. import AIRFLOW_VERSION, __version__

    is_airflow = context.find_root().info_name == "airflow"
    click.echo(AIRFLOW_VERSION if is_airflow else __version__)
