"""One backfill in the foreground: planned, created, shown, and driven where no server does."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from ..sdk import home_folder
from .output import print_rows

if TYPE_CHECKING:
    from ..control.backfill import BackfillRequest
    from ..control.services import Services
    from ..database.values import BackfillPlanEntry, BackfillRow

POLL_S = 0.2
#: Whether a server is still there is asked every two seconds.
LOOKS_PER_CHECK = 10
#: With less room than this on its disk, SQLite cannot take a transaction for sure.
FREE_BYTES_MIN = 1024 * 1024
FINISHED_STATES = ("success", "failed")
#: What ``action`` of a planned date says to people.
ACTIONS = {
    "create": "run",
    "reprocess": "run again",
    "exists": "leave alone: it has run",
    "in_flight": "leave alone: it is on its way",
}


def run_backfill(
    services: Services,
    request: BackfillRequest,
    output: str,
    *,
    is_dry_run: bool,
    is_awaited: bool | None,
) -> int:
    """Plan a backfill, and unless it is a dry run create it and see it through.

    Args:
        is_awaited: stay until all runs have ended. None: only where no server is running.

    Returns:
        The exit code: 1 where a run failed.
    """
    from ..control import backfill as control
    from .load_dag import own_timetable
    from .parse_first import known_dag
    from .server import has_server
    from .service_parts import executor_names

    dag = known_dag(services, request.dag_id)
    request = replace(request, own_timetable=own_timetable(dag))
    unfinished = control.find_unfinished(services, request.dag_id)
    if unfinished is not None and not is_dry_run and _is_same(unfinished, request):
        click.echo(f"Going on with backfill {unfinished.id}, which had not finished.", err=True)
        return _see_through(services, unfinished, is_awaited=is_awaited)
    if not is_dry_run and not has_server():
        executor_names()  # refused before anything is created that could not be run
    plan = control.plan(services, request)
    if is_dry_run:
        print_rows([_plan_row(entry) for entry in plan], output)
        click.echo(_summary(plan), err=True)
        return 0
    if not any(entry.action in ("create", "reprocess") for entry in plan):
        click.echo(f"Nothing to do: {_summary(plan)}", err=True)
        return 0
    if dag.is_paused:
        click.echo(f"DAG {dag.dag_id} is paused; its backfill runs nevertheless.", err=True)
    created = control.create(services, request)
    click.echo(f"Backfill {created.id} of {dag.dag_id}: {_summary(plan)}", err=True)
    if is_awaited is False and not has_server():
        click.echo("No server is running: its runs start when one does.", err=True)
    return _see_through(services, created, is_awaited=is_awaited)


def _is_same(row: BackfillRow, request: BackfillRequest) -> bool:
    """Tell whether the same command was given again, to go on with what was interrupted."""
    return (row.from_at, row.to_at, row.reprocess_behavior, row.is_reverse) == (
        request.from_at,
        request.to_at,
        request.reprocess_behavior,
        request.is_reverse,
    )


def _plan_row(entry: BackfillPlanEntry) -> dict[str, object]:
    return {
        "logical_date": entry.logical_date,
        "data_interval_start": entry.data_interval_start,
        "data_interval_end": entry.data_interval_end,
        "run_id": entry.run_id,
        "action": ACTIONS.get(entry.action, entry.action),
    }


def _summary(plan: Sequence[BackfillPlanEntry]) -> str:
    counts: dict[str, int] = {}
    for entry in plan:
        text = ACTIONS.get(entry.action, entry.action)
        counts[text] = counts.get(text, 0) + 1
    return ", ".join(f"{count} to {text}" for text, count in counts.items()) or "no dates"


def _see_through(services: Services, row: BackfillRow, *, is_awaited: bool | None) -> int:
    from .drive import driven
    from .server import has_server

    is_server_running = has_server()
    if is_awaited is False or (is_awaited is None and is_server_running):
        return 0
    try:
        if is_server_running:
            exit_code = _follow(services, row.id, has_server)
            if exit_code is not None:
                return exit_code
            click.echo("The server has gone; this command goes on with the backfill.", err=True)
        with driven() as is_at_work:
            exit_code = _follow(services, row.id, is_at_work)
        if exit_code is None:
            raise click.ClickException("The scheduler ended; see logs/cli/backfill.log.")
        return exit_code
    except KeyboardInterrupt:
        click.echo(
            f"\nBackfill {row.id} is not finished. The same command goes on with it; so does a "
            f"server. 'backfill cancel {row.id}' ends it.",
            err=True,
        )
        return 130


def _follow(
    services: Services, backfill_id: int, is_anybody_at_work: Callable[[], bool]
) -> int | None:
    """Show a progress bar on stderr until the backfill has completed.

    Returns:
        The exit code; None where nobody is at work on it any more.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("[progress.description]{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[detail]}"),
        TimeElapsedColumn(),
    )
    # Drawn at each look: a thread of rich's own would draw twice as often, beside the tasks.
    with Progress(*columns, console=Console(stderr=True), auto_refresh=False) as progress:
        row = services.store.backfills.get(backfill_id)
        looks, is_full = 0, False
        bar = progress.add_task(row.dag_id, total=_total(row), detail="")
        while True:
            row = services.store.backfills.get(backfill_id)
            done = sum(row.counts.get(state, 0) for state in FINISHED_STATES)
            failed = row.counts.get("failed", 0)
            detail = f"{row.counts.get('running', 0)} running" + (
                f", {failed} failed" if failed else ""
            )
            progress.update(bar, completed=done, total=_total(row), detail=detail, refresh=True)
            if row.completed_at is not None or done >= _total(row):
                break
            looks += 1
            if looks % LOOKS_PER_CHECK == 0:
                if not is_anybody_at_work():
                    return None
                is_full = _tell_of_full_disk(was_full=is_full)
            time.sleep(POLL_S)
    succeeded, failed = row.counts.get("success", 0), row.counts.get("failed", 0)
    click.echo(f"Backfill {row.id}: {succeeded} run(s) succeeded, {failed} failed.", err=True)
    return 1 if failed else 0


def _tell_of_full_disk(*, was_full: bool) -> bool:
    """Say it where the disk of the home has become full; return whether it is."""
    home = home_folder.home()
    is_full = shutil.disk_usage(home).free < FREE_BYTES_MIN
    if is_full and not was_full:
        click.echo(f"The disk of {home} is full: the backfill waits until there is room.", err=True)
    return is_full


def _total(row: BackfillRow) -> int:
    """Return how many runs there are; dates that were left alone are not counted."""
    return sum(count for state, count in row.counts.items() if state != "skipped")
