"""``dags backfill``: Airflow 2's form, in the foreground until all runs have ended."""

from __future__ import annotations

from datetime import datetime

import click

from .command import INSTANT, command, confirm, services, yes_option
from .output import FORMATS

#: What Airflow 2 can and Tradewind cannot do with a part of a DAG.
PARTIAL = "A backfill runs whole DAGs; run it, or clear single tasks with 'tasks clear -t'."


@command("backfill")
@click.argument("dag_id")
@click.option("-s", "--start-date", type=INSTANT, help="First logical date; else the end date.")
@click.option("-e", "--end-date", type=INSTANT, help="Last logical date; else the start date.")
@click.option("-c", "--conf", metavar="JSON", help="Configuration of each run.")
@click.option("-n", "--dry-run", is_flag=True, help="List the runs, and make none.")
@click.option("--reset-dagruns", is_flag=True, help="Run again what has run already.")
@click.option("--rerun-failed-tasks", is_flag=True, help="Run again what has failed.")
@click.option("-B", "--run-backwards", is_flag=True, help="Newest first.")
@click.option("--max-active-runs", type=click.IntRange(min=1), help="Runs at the same time.")
@click.option("-t", "--task-regex", help="Not supported: a backfill runs whole DAGs.")
@click.option("-i", "--ignore-dependencies", is_flag=True, hidden=True)
@click.option("-m", "--mark-success", is_flag=True, help="Not supported.")
@click.option("--treat-dag-id-as-regex", "--treat-dag-as-regex", "is_pattern", is_flag=True)
@click.option("-l", "--local", is_flag=True, hidden=True)
@click.option("-x", "--donot-pickle", is_flag=True, hidden=True)
@click.option("-I", "--ignore-first-depends-on-past", is_flag=True, hidden=True)
@click.option("--continue-on-failures", is_flag=True, help="Accepted: failures stop nothing.")
@click.option("--disable-retry", is_flag=True, hidden=True)
@click.option("--delay-on-limit", type=float, default=1.0, hidden=True)
@click.option("--pool", hidden=True)
@click.option("-S", "--subdir", hidden=True)
@click.option("-o", "--output", type=click.Choice(FORMATS), default="table")
@yes_option
def backfill(
    dag_id: str,
    start_date: datetime | None,
    end_date: datetime | None,
    conf: str | None,
    dry_run: bool,
    reset_dagruns: bool,
    rerun_failed_tasks: bool,
    run_backwards: bool,
    max_active_runs: int | None,
    task_regex: str | None,
    mark_success: bool,
    is_pattern: bool,
    output: str,
    yes: bool,
    **_accepted: object,
) -> int:
    """Run DAG_ID over all its intervals between two logical dates; exits with 1 if a run fails."""
    from ..control.backfill import BackfillRequest
    from ..control.input import parse_json_object
    from ..control.pause import matching_dags
    from .backfill_run import run_backfill
    from .parse_first import known_dag

    first, last = start_date or end_date, end_date or start_date
    if first is None or last is None:
        raise click.ClickException("Provide a start_date and/or end_date")
    if task_regex or mark_success:
        raise click.ClickException(PARTIAL)
    decoded = parse_json_object(conf, "--conf")
    if reset_dagruns and not confirm("Run finished runs of these dates again?", is_agreed=yes):
        click.echo("Cancelled")
        return 0
    reprocess = "completed" if reset_dagruns else "failed" if rerun_failed_tasks else "none"
    exit_code = 0
    with services(None if dry_run else "dags_backfill") as opened:
        if not is_pattern:
            known_dag(opened, dag_id)
        found = matching_dags(opened, dag_id, is_pattern=is_pattern)
        if is_pattern and not found:
            raise click.ClickException(f"No DAG id matches {dag_id!r}.")
        for row in found:
            request = BackfillRequest(
                dag_id=row.dag_id,
                from_at=first,
                to_at=last,
                max_active_runs=max_active_runs or row.max_active_runs,
                reprocess_behavior=reprocess,
                is_reverse=run_backwards,
                conf=decoded,
            )
            code = run_backfill(opened, request, output, is_dry_run=dry_run, is_awaited=True)
            exit_code = max(exit_code, code)
    return exit_code
