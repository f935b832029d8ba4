"""``jobs check``: is a service alive? Containers ask this as their health check."""

from __future__ import annotations

import click

from .command import command, services
from .lazy_group import LazyGroup

jobs = LazyGroup(
    "jobs", {"check": ("jobs:check", "Tell whether a service is alive.")}, help="Running services."
)

#: Airflow's name of a job -> the kind under which our services beat.
KINDS = {
    "SchedulerJob": "scheduler",
    "TriggererJob": "triggerer",
    "DagProcessorJob": "dag_processor",
    "LocalTaskJob": "runner",
    "BackfillJob": "scheduler",
}


@command("check")
@click.option("--job-type", type=click.Choice(list(KINDS)), help="Only services of this kind.")
@click.option("--hostname", help="Only services on this host.")
@click.option("--local", is_flag=True, help="Only services on this host.")
@click.option("--limit", type=int, default=1, show_default=True, help="How many to look at.")
@click.option("--allow-multiple", is_flag=True, help="Several may be alive; needs --limit.")
def check(
    job_type: str | None, hostname: str | None, local: bool, limit: int, allow_multiple: bool
) -> None:
    """Exit with 0 when a service is alive, with 1 when none is, or too many are."""
    import socket

    from .server import alive_processes

    if allow_multiple and limit <= 1:
        raise click.ClickException("--allow-multiple needs a --limit above 1.")
    if hostname and local:
        raise click.ClickException("Say --hostname or --local, not both.")
    host = socket.gethostname() if local else hostname
    kind = KINDS[job_type] if job_type else None
    with services() as opened:
        alive = alive_processes(opened, kind=kind, host=host)[: max(limit, 0) or None]
    if not alive:
        raise click.ClickException("No alive jobs found.")
    if len(alive) > 1 and not allow_multiple:
        raise click.ClickException(f"Found {len(alive)} alive jobs; expected one.")
    noun = "Found one alive job." if len(alive) == 1 else f"Found {len(alive)} alive jobs."
    click.echo(noun)
