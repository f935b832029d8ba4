"""``dags trigger``, ``pause``, ``unpause``, ``delete``, ``next-execution``, ``reserialize``."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from .command import (
    INSTANT,
    command,
    confirm,
    folder_options,
    output_option,
    services,
    yes_option,
)
from .output import print_rows

if TYPE_CHECKING:
    from ..database.values import RunRow
    from ..planning.plan_runs import PlannedRun

FIELDS = ("logical_date", "data_interval.start", "data_interval.end", "run_after")
MANY_RUNS = 1000


@command("trigger")
@click.argument("dag_id")
@click.option("-c", "--conf", metavar="JSON", help="Configuration of the run.")
@click.option("-r", "--run-id", help="Id of the run; made from the date where not given.")
@click.option(
    "-e", "-l", "--exec-date", "--logical-date", "logical_date", type=INSTANT, help="Logical date."
)
@click.option("--no-replace-microseconds", is_flag=True, help="Keep microseconds of the date.")
@click.option("-S", "--subdir", hidden=True)
@output_option
def trigger(
    dag_id: str,
    conf: str | None,
    run_id: str | None,
    logical_date: datetime | None,
    no_replace_microseconds: bool,
    subdir: str | None,
    output: str,
) -> None:
    """Start a run of DAG_ID. Of a paused DAG it stays queued."""
    from ..control.input import parse_json_object
    from ..control.trigger import trigger_dag
    from .load_dag import own_timetable
    from .parse_first import known_dag

    decoded = parse_json_object(conf, "--conf")
    with services("dags_trigger") as opened:
        dag = known_dag(opened, dag_id)
        run = trigger_dag(
            opened,
            dag_id,
            conf=decoded,
            run_id=run_id,
            logical_date=logical_date,
            is_microsecond_kept=no_replace_microseconds,
            own_timetable=own_timetable(dag),
        )
    if dag.is_paused:
        click.echo(f"DAG {dag_id} is paused: the run stays queued until it is unpaused.", err=True)
    print_rows([trigger_row(run)], output)


def trigger_row(run: RunRow) -> dict[str, Any]:
    """Return the columns of a run that a command has just started."""
    return {
        "conf": dict(run.conf or {}),
        "dag_id": run.dag_id,
        "dag_run_id": run.run_id,
        "data_interval_start": run.data_interval_start,
        "data_interval_end": run.data_interval_end,
        "end_date": run.ended_at,
        "external_trigger": run.external_trigger,
        "last_scheduling_decision": run.last_decided_at,
        "logical_date": run.logical_date,
        "run_type": run.run_type,
        "start_date": run.started_at,
        "state": run.state,
        "triggering_user_name": run.triggering_user,
    }


def _pattern_option(function: Any) -> Any:
    return click.option(
        "--treat-dag-id-as-regex",
        "--treat-dag-as-regex",
        "is_pattern",
        is_flag=True,
        help="DAG_ID is a regular expression.",
    )(function)


@command("pause")
@click.argument("dag_id")
@_pattern_option
@yes_option
@output_option
@click.option("-S", "--subdir", hidden=True)
def pause(dag_id: str, is_pattern: bool, yes: bool, output: str, subdir: str | None) -> None:
    """Stop making runs of DAG_ID, and stop starting queued ones."""
    _set_paused(dag_id, output, is_pattern=is_pattern, is_agreed=yes, is_paused=True)


@command("unpause")
@click.argument("dag_id")
@_pattern_option
@yes_option
@output_option
@click.option("-S", "--subdir", hidden=True)
def unpause(dag_id: str, is_pattern: bool, yes: bool, output: str, subdir: str | None) -> None:
    """Make and start runs of DAG_ID by its schedule; says how many catchup makes at once."""
    _set_paused(dag_id, output, is_pattern=is_pattern, is_agreed=yes, is_paused=False)


def _set_paused(
    named: str, output: str, *, is_pattern: bool, is_agreed: bool, is_paused: bool
) -> None:
    from ..control import pause as control
    from .parse_first import parse_if_unknown

    verb = "pause" if is_paused else "unpause"
    with services(f"dags_{verb}") as opened:
        parse_if_unknown(opened, named)
        found = control.matching_dags(opened, named, is_pattern=is_pattern)
        if is_pattern and found:
            ids = ", ".join(row.dag_id for row in found)
            if not confirm(
                f"This will {verb} {len(found)} DAG(s): {ids}. Go on?", is_agreed=is_agreed
            ):
                click.echo("Operation cancelled by user")
                return
        for row in found:
            count = (
                0
                if is_paused or not row.is_paused
                else control.count_catchup_runs(opened, row.dag_id)
            )
            if count > 1:
                more = "or more " if count >= MANY_RUNS else ""
                click.echo(f"Catchup makes {count} {more}runs of {row.dag_id} now.", err=True)
        changed = control.set_paused(opened, found, is_paused=is_paused)
    if not changed:
        click.echo(f"No {'un' if is_paused else ''}paused DAGs were found")
        return
    print_rows([{"dag_id": row.dag_id, "is_paused": row.is_paused} for row in changed], output)


@command("delete")
@click.argument("dag_id")
@yes_option
def delete(dag_id: str, yes: bool) -> None:
    """Delete all runs, task instances and versions of DAG_ID."""
    from ..control.delete import delete_dag

    with services("dags_delete") as opened:
        opened.store.dags.get(dag_id)
        question = f"This deletes all history of {dag_id}. Proceed?"
        if not confirm(question, is_agreed=yes):
            click.echo("Cancelled")
            return
        count = delete_dag(opened, dag_id)
    click.echo(f"Removed {count} record(s)")


@command("next-execution")
@click.argument("dag_id")
@click.option("-n", "--num-executions", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--table", is_flag=True, help="All columns, as a table.")
@click.option("--field", type=click.Choice(FIELDS), help="Print this column.")
@click.option("-S", "--subdir", hidden=True)
def next_execution(
    dag_id: str, num_executions: int, table: bool, field: str | None, subdir: str | None
) -> None:
    """Print the logical dates of the next runs of DAG_ID, one a line."""
    from ..control.forecast import next_runs
    from .load_dag import own_timetable
    from .parse_first import known_dag

    with services() as opened:
        dag = known_dag(opened, dag_id)
        runs = next_runs(opened, dag_id, num_executions, own_timetable=own_timetable(dag))
    if dag.is_paused:
        click.echo("[INFO] Please be reminded this DAG is PAUSED now.", err=True)
    if not runs:
        click.echo(f"[WARN] No next run: the schedule of {dag_id} makes none.", err=True)
        click.echo("None")
    elif table:
        print_rows([_next_row(run) for run in runs], "table")
    else:
        for run in runs:
            value = _next_row(run)[field or "logical_date"]
            click.echo("None" if value is None else value.isoformat())


def _next_row(run: PlannedRun) -> dict[str, datetime | None]:
    return {
        "logical_date": run.logical_date,
        "data_interval.start": run.data_interval_start,
        "data_interval.end": run.data_interval_end,
        "run_after": run.run_after,
    }


@command("reserialize")
@click.option("--clear-only", is_flag=True, help="Accepted; versions are history, and kept.")
@folder_options
def reserialize(clear_only: bool, subdir: str | None, bundle_name: tuple[str, ...]) -> None:
    """Parse all files again, whether they have changed or not."""
    from .parse_first import parse_folder

    with services("dags_reserialize") as opened:
        count = parse_folder(opened, is_forced=True, is_everything=True)
    click.echo(f"Parsed {count} file(s).", err=True)
