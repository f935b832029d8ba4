"""``dags clear``: Airflow 3's way to let whole runs go again."""

from __future__ import annotations

import click

from .command import command, services, yes_option
from .tasks_clear import clear_chosen

NO_PARTITIONS = "Runs have no partitions here: name the run with --run-id."


@command("clear")
@click.argument("dag_id")
@click.option("--run-id", help="The run, by its id or its logical date.")
@click.option("-f", "--only-failed", is_flag=True, help="Only failed task instances.")
@click.option("-r", "--only-running", is_flag=True, help="Only running task instances.")
@click.option("--partition-key", hidden=True)
@click.option("--partition-date-start", hidden=True)
@click.option("--partition-date-end", hidden=True)
@yes_option
def clear(
    dag_id: str,
    run_id: str | None,
    only_failed: bool,
    only_running: bool,
    yes: bool,
    **partition: str | None,
) -> None:
    """Let a run of DAG_ID go again; shows its task instances, and asks first."""
    from ..control.clear import ClearRequest
    from ..control.runs import get_run

    if any(partition.values()):
        raise click.ClickException(NO_PARTITIONS)
    if run_id is None:
        raise click.UsageError("Missing option '--run-id'.")
    with services("dags_clear") as opened:
        run = get_run(opened, dag_id, run_id)
        request = ClearRequest(
            dag_id, run_ids=[run.run_id], only_failed=only_failed, only_running=only_running
        )
        clear_chosen(opened, [request], is_agreed=yes)
