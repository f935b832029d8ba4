"""Settings that are unknown or have moved, said once a command."""

from __future__ import annotations

import click

#: An airflow.cfg that an older Airflow wrote holds dozens of old names.
NAMED_MAX = 3


def print_notices() -> None:
    """Print one line to stderr for unknown settings, and one for those with new names."""
    from ..sdk.configuration import conf

    for notice in conf.notices(NAMED_MAX):
        click.echo(f"Note: {notice}", err=True)
