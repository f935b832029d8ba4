"""``tasks clear``: let task instances run again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import click

from .command import INSTANT, command, confirm, folder_options, services, yes_option

if TYPE_CHECKING:
    from ..control.clear import ClearRequest
    from ..control.services import Services
    from ..database.values import TaskInstanceRow

LISTED_MAX = 100


@command("clear")
@click.argument("dag_id")
@click.option("-t", "--task-regex", help="Only tasks whose id matches this regular expression.")
@click.option("-s", "--start-date", type=INSTANT, help="First logical date, included.")
@click.option("-e", "--end-date", type=INSTANT, help="Last logical date, included.")
@click.option("-r", "--only-running", is_flag=True, help="Only running task instances.")
@click.option("-f", "--only-failed", is_flag=True, help="Only failed task instances.")
@click.option("-u", "--upstream", is_flag=True, help="Also what lies above.")
@click.option("-d", "--downstream", is_flag=True, help="Also what lies below.")
@click.option("-R", "--dag-regex", is_flag=True, help="DAG_ID is a regular expression.")
@click.option("-x", "--exclude-subdags", is_flag=True, hidden=True)
@click.option("-X", "--exclude-parentdag", is_flag=True, hidden=True)
@yes_option
@folder_options
def clear(
    dag_id: str,
    task_regex: str | None,
    start_date: datetime | None,
    end_date: datetime | None,
    only_running: bool,
    only_failed: bool,
    upstream: bool,
    downstream: bool,
    dag_regex: bool,
    yes: bool,
    **_accepted: object,
) -> None:
    """Let task instances of DAG_ID run again; shows them, and asks first."""
    from ..control import clear as control

    request = control.ClearRequest(
        dag_id=dag_id,
        task_pattern=task_regex,
        from_at=start_date,
        to_at=end_date,
        include_upstream=upstream,
        include_downstream=downstream,
        only_failed=only_failed,
        only_running=only_running,
    )
    with services("tasks_clear") as opened:
        requests = control.requests_for(opened, request, is_dag_pattern=dag_regex)
        clear_chosen(opened, requests, is_agreed=yes)


def clear_chosen(services: Services, requests: Sequence[ClearRequest], *, is_agreed: bool) -> None:
    """Show what the requests clear, ask unless *is_agreed*, clear it, and say how much it was."""
    from ..control import clear as control

    chosen = [row for one in requests for row in control.preview(services, one)]
    if not chosen:
        click.echo("Nothing to clear.")
        return
    if not is_agreed:
        _list_chosen(chosen)
    if not confirm("Clear them?", is_agreed=is_agreed):
        click.echo("Cancelled, nothing was cleared.")
        return
    cleared = [row for one in requests for row in control.clear(services, one)]
    runs = {(row.dag_id, row.run_id) for row in cleared}
    click.echo(f"Cleared {len(cleared)} task instance(s) across {len(runs)} Dag run(s).")


def _list_chosen(chosen: Sequence[TaskInstanceRow]) -> None:
    click.echo(f"You are about to clear these {len(chosen)} task instance(s):", err=True)
    for row in chosen[:LISTED_MAX]:
        index = f"[{row.map_index}]" if row.map_index >= 0 else ""
        click.echo(f"  {row.dag_id}.{row.task_id}{index} {row.run_id} [{row.state}]", err=True)
    if len(chosen) > LISTED_MAX:
        click.echo(f"  ... and {len(chosen) - LISTED_MAX} more", err=True)
