"""``backfill create``: the scheduler does the work; without a server this command does."""

from __future__ import annotations

from datetime import datetime

import click

from .command import INSTANT, command, output_option, services
from .lazy_group import LazyGroup
from .output import print_rows

backfill = LazyGroup(
    "backfill",
    {
        "create": ("backfill:create", "Run a DAG over a range of past dates."),
        "list": ("backfill:list_", "List backfills and how far they are."),
        "pause": ("backfill:pause", "Start no more runs of a backfill."),
        "unpause": ("backfill:unpause", "Go on with a backfill."),
        "cancel": ("backfill:cancel", "End a backfill; running runs finish."),
    },
    help="Run a DAG over a range of past dates.",
)


@command("create")
@click.option("--dag-id", required=True)
@click.option("--from-date", type=INSTANT, required=True, help="First logical date, included.")
@click.option("--to-date", type=INSTANT, required=True, help="Last logical date, included.")
@click.option("--dag-run-conf", metavar="JSON", help="Configuration of each run.")
@click.option(
    "--max-active-runs",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    help="Runs at the same time; the DAG's own limit does not count.",
)
@click.option("--run-backwards", is_flag=True, help="Newest first.")
@click.option(
    "--reprocess-behavior",
    type=click.Choice(["none", "completed", "failed"]),
    default="none",
    show_default=True,
    help="What to do where a run exists: leave it, run it again, run it again if it failed.",
)
@click.option("--run-on-latest-version/--no-run-on-latest-version", default=True, hidden=True)
@click.option("--dry-run", is_flag=True, help="List the runs, and make none.")
@click.option("--wait/--no-wait", default=None, help="Stay until all runs have ended.")
@output_option
def create(
    dag_id: str,
    from_date: datetime,
    to_date: datetime,
    dag_run_conf: str | None,
    max_active_runs: int,
    run_backwards: bool,
    reprocess_behavior: str,
    run_on_latest_version: bool,
    dry_run: bool,
    wait: bool | None,
    output: str,
) -> int:
    """Run a DAG over all its intervals between two logical dates.

    With a server running the backfill is handed over, and the command returns at once unless
    --wait is given. Without one the command runs it itself, and shows how far it is.
    """
    from ..control.backfill import BackfillRequest
    from ..control.input import parse_json_object
    from .backfill_run import run_backfill

    request = BackfillRequest(
        dag_id=dag_id,
        from_at=from_date,
        to_at=to_date,
        max_active_runs=max_active_runs,
        reprocess_behavior=reprocess_behavior,
        is_reverse=run_backwards,
        conf=parse_json_object(dag_run_conf, "--dag-run-conf"),
    )
    with services(None if dry_run else "backfill_create") as opened:
        return run_backfill(opened, request, output, is_dry_run=dry_run, is_awaited=wait)


@command("list")
@click.option("--dag-id", help="Only backfills of this DAG.")
@output_option
def list_(dag_id: str | None, output: str) -> None:
    """List backfills, newest first."""
    with services() as opened:
        rows = opened.store.backfills.list(dag_id=dag_id)
    print_rows(
        [
            {
                "id": row.id,
                "dag_id": row.dag_id,
                "from_date": row.from_at,
                "to_date": row.to_at,
                "reprocess_behavior": row.reprocess_behavior,
                "max_active_runs": row.max_active_runs,
                "is_paused": row.is_paused,
                "created_at": row.created_at,
                "completed_at": row.completed_at,
                "runs": ", ".join(f"{count} {state}" for state, count in row.counts.items()),
            }
            for row in rows
        ],
        output,
    )


@command("pause")
@click.argument("backfill_id", type=int)
def pause(backfill_id: int) -> None:
    """Start no more runs of a backfill; running ones go on."""
    _set_paused(backfill_id, is_paused=True)


@command("unpause")
@click.argument("backfill_id", type=int)
def unpause(backfill_id: int) -> None:
    """Go on with a backfill."""
    _set_paused(backfill_id, is_paused=False)


def _set_paused(backfill_id: int, *, is_paused: bool) -> None:
    verb = "pause" if is_paused else "unpause"
    with services(f"backfill_{verb}") as opened:
        opened.store.backfills.get(backfill_id)
        opened.store.backfills.set_paused(backfill_id, is_paused, opened.now(), opened.actor)
    click.echo(f"Backfill {backfill_id} {verb}d")


@command("cancel")
@click.argument("backfill_id", type=int)
def cancel(backfill_id: int) -> None:
    """End a backfill: its queued runs fail, running ones finish."""
    with services("backfill_cancel") as opened:
        opened.store.backfills.get(backfill_id)
        opened.store.backfills.cancel(backfill_id, opened.now(), opened.actor)
    click.echo(f"Backfill {backfill_id} cancelled")
