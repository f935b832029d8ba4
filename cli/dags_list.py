"""``dags list`` and the other commands that only read."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from .command import INSTANT, command, folder_options, output_option, services
from .output import print_rows

if TYPE_CHECKING:
    from ..database.values import DagRow, RunRow

DEFAULT_COLUMNS = "dag_id,fileloc,owners,is_paused"
RUN_STATES = ("queued", "running", "success", "failed")


def dag_fields(row: DagRow) -> dict[str, Any]:
    """Return what is known of a DAG, under Airflow's names where it has one."""
    fields = dataclasses.asdict(row)
    return {
        **fields,
        "owners": [name.strip() for name in row.owners.split(",") if name.strip()],
        "tags": list(row.tags),
        "last_parsed_time": row.last_parsed_at,
        "next_dagrun": row.next_logical_date,
        "next_dagrun_create_after": row.next_run_after,
        "next_dagrun_data_interval_start": row.next_data_interval_start,
        "next_dagrun_data_interval_end": row.next_data_interval_end,
        "bundle_name": "dags-folder",
        "bundle_version": None,
    }


def run_fields(row: RunRow) -> dict[str, Any]:
    """Return the columns of one run: those of Airflow 2 and 3 together."""
    return {
        "dag_id": row.dag_id,
        "run_id": row.run_id,
        "state": row.state,
        "run_after": row.run_after,
        "logical_date": row.logical_date,
        "execution_date": row.logical_date,
        "start_date": row.started_at,
        "end_date": row.ended_at,
    }


@command("list")
@click.option("--columns", default=DEFAULT_COLUMNS, show_default=True, help="Comma separated.")
@click.option("-l", "--local", is_flag=True, help="Parse the folder first.")
@folder_options
@output_option
def list_(
    columns: str, local: bool, subdir: str | None, bundle_name: tuple[str, ...], output: str
) -> None:
    """List all DAGs whose file is there."""
    from ..control.pause import all_dags
    from .parse_first import parse_folder

    with services() as opened:
        parse_folder(opened, is_forced=local)
        rows = [dag_fields(row) for row in all_dags(opened)]
        has_errors = bool(opened.store.files.import_errors())
    if has_errors:
        click.echo(
            "Error: Failed to load all files. For details, run `dags list-import-errors`", err=True
        )
    print_rows(_chosen(rows, columns), output)


def _chosen(rows: list[dict[str, Any]], columns: str) -> list[dict[str, Any]]:
    from ..database.values import DagRow

    names = [name.strip() for name in columns.split(",") if name.strip()]
    known = {field.name for field in dataclasses.fields(DagRow)} | {
        name for row in rows[:1] for name in row
    }
    unknown = [name for name in names if name not in known] if rows else []
    if unknown:
        click.echo(f"Ignoring columns that DAGs do not have: {', '.join(unknown)}", err=True)
    kept = [name for name in names if name not in unknown]
    return [{name: row.get(name) for name in kept} for row in rows if kept]


@command("list-runs")
@click.argument("dag_id_argument", metavar="DAG_ID", required=False)
@click.option("-d", "--dag-id", help="The DAG, where it is not given as the argument.")
@click.option("--state", type=click.Choice(RUN_STATES), help="Only runs in this state.")
@click.option("--no-backfill", is_flag=True, help="Leave out runs of backfills.")
@click.option("-s", "--start-date", type=INSTANT, help="First logical date.")
@click.option("-e", "--end-date", type=INSTANT, help="Last logical date.")
@output_option
def list_runs(
    dag_id_argument: str | None,
    dag_id: str | None,
    state: str | None,
    no_backfill: bool,
    start_date: datetime | None,
    end_date: datetime | None,
    output: str,
) -> None:
    """List the runs of a DAG, newest first."""
    from ..control import runs as control

    named = dag_id_argument or dag_id
    if named is None:
        raise click.UsageError("Missing argument 'DAG_ID'.")
    with services() as opened:
        rows = control.list_runs(
            opened,
            named,
            states=(state,) if state else (),
            is_backfill_left_out=no_backfill,
            logical_from=start_date,
            logical_to=end_date,
        )
    print_rows([run_fields(row) for row in rows], output)


@command("list-import-errors")
@click.option("-l", "--local", is_flag=True, help="Parse the folder first.")
@folder_options
@output_option
def list_import_errors(
    local: bool, subdir: str | None, bundle_name: tuple[str, ...], output: str
) -> int:
    """List the files that do not load, and why. Exits with 1 where there is any.

    Files that load but hold no DAG are named on stderr.
    """
    from .parse_first import parse_folder

    with services() as opened:
        parse_folder(opened, is_forced=local, has_errors_again=True)
        errors = opened.store.files.import_errors()
        without_dags = opened.store.files.without_dags()
    for row in without_dags:
        click.echo(f"No DAG in {row.path}: {row.no_dag_reason}", err=True)
    print_rows([{"filepath": row.path, "error": row.error} for row in errors], output)
    return 1 if errors else 0


@command("details")
@click.argument("dag_id")
@output_option
def details(dag_id: str, output: str) -> None:
    """Show everything that is known of DAG_ID."""
    from .parse_first import known_dag

    with services() as opened:
        fields = dag_fields(known_dag(opened, dag_id))
    if output in ("table", "plain"):
        rows = [{"property_name": name, "property_value": value} for name, value in fields.items()]
        print_rows(rows, output)
    else:
        print_rows([fields], output)


@command("state")
@click.argument("dag_id")
@click.argument("run")
@click.option("-S", "--subdir", hidden=True)
def state(dag_id: str, run: str, subdir: str | None) -> None:
    """Print the state of RUN (a run id or a logical date), and its configuration if it has one."""
    import json

    from ..control.runs import find_run

    with services() as opened:
        row = find_run(opened, dag_id, run)
    if row is None:
        click.echo("None")
    else:
        click.echo(f"{row.state}, {json.dumps(row.conf)}" if row.conf else row.state)


@command("report")
@folder_options
@output_option
def report(subdir: str | None, bundle_name: tuple[str, ...], output: str) -> None:
    """Show for each file how long it took to parse, and what it gave."""
    from datetime import timedelta

    from .parse_first import parse_folder

    with services() as opened:
        parse_folder(opened)
        rows = []
        for file in opened.store.files.load_all():
            if not file.is_present:
                continue
            graphs = [opened.store.dags.serialized(dag_id) for dag_id in file.dag_ids]
            rows.append(
                {
                    "file": file.relative_path,
                    "duration": str(timedelta(seconds=file.duration_s)),
                    "dag_num": len(graphs),
                    "task_num": sum(len(dag.tasks) for dag in graphs),
                    "dags": sorted(file.dag_ids),
                }
            )
    print_rows(rows, output)
