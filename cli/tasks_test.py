"""``tasks test`` and ``tasks render``: one task in this process; nothing is recorded."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from .command import command, folder_options
from .tasks_list import map_index_option

if TYPE_CHECKING:
    from ..runtime.one_task import OneTask
    from .task_console import StoredValues

RULE = "# " + "-" * 58


@command("test")
@click.argument("dag_id")
@click.argument("task_id")
@click.argument("run", required=False)
@click.option("-n", "--dry-run", is_flag=True, help="Print the rendered fields, and run nothing.")
@click.option("-t", "--task-params", metavar="JSON", help="Values of params of the task.")
@click.option("--env-vars", metavar="JSON", help="Environment variables to set before.")
@click.option("-m", "--post-mortem", is_flag=True, help="Start the debugger when the task fails.")
@map_index_option
@folder_options
def test(
    dag_id: str,
    task_id: str,
    run: str | None,
    dry_run: bool,
    task_params: str | None,
    env_vars: str | None,
    post_mortem: bool,
    map_index: int,
    subdir: str | None,
    bundle_name: tuple[str, ...],
) -> None:
    """Run TASK_ID of DAG_ID here, whatever it depends on; exits with 1 when it fails.

    RUN is a run id or a logical date; the task sees what a recorded run of that name holds.
    """
    from ..control.input import parse_json_object
    from .task_console import log_to_stdout, stored_values

    params = parse_json_object(task_params, "--task-params")
    environment = parse_json_object(env_vars, "--env-vars") or {}
    os.environ.update({key: str(value) for key, value in environment.items()})
    os.environ["AIRFLOW_TEST_MODE"] = "True"
    log_to_stdout()
    with stored_values() as values:
        one = _one_task(dag_id, task_id, run, map_index, subdir, values, params)
        if dry_run:
            _print_fields(one)
            return
        result = one.execute(is_debugged=post_mortem)
    if result.outcome not in ("success", "skipped"):
        raise click.ClickException(f"Task {task_id} {result.outcome}: {result.reason}")
    click.echo(f"Task {task_id}: {result.outcome}", err=True)


@command("render")
@click.argument("dag_id")
@click.argument("task_id")
@click.argument("run")
@map_index_option
@folder_options
def render(
    dag_id: str,
    task_id: str,
    run: str,
    map_index: int,
    subdir: str | None,
    bundle_name: tuple[str, ...],
) -> None:
    """Print the template fields of TASK_ID as RUN (a run id or a logical date) renders them."""
    from .task_console import stored_values

    with stored_values() as values:
        one = _one_task(dag_id, task_id, run, map_index, subdir, values, None)
        _print_fields(one)


def _one_task(
    dag_id: str,
    task_id: str,
    run: str | None,
    map_index: int,
    subdir: str | None,
    values: StoredValues,
    params: dict[str, Any] | None,
) -> OneTask:
    from ..runtime.one_task import OneTask
    from .load_dag import load_dag

    dag = load_dag(dag_id, subdir)
    if not dag.has_task(task_id):
        raise click.ClickException(f"DAG {dag_id!r} has no task {task_id!r}.")
    recorded = values.find_run(dag_id, run) if run is not None else None
    return OneTask(
        dag,
        task_id,
        map_index=map_index,
        logical_date=None if recorded is not None else _date(run),
        recorded=recorded,
        params=params or {},
        find_variable=values.find_variable,
        find_connection=values.find_connection,
    )


def _date(run: str | None) -> Any:
    """Return the date that was typed for a run that is not recorded; None: now."""
    from ..control.input import InvalidInput, parse_instant

    if run is None:
        return None
    try:
        return parse_instant(run)
    except InvalidInput:
        raise click.ClickException(
            f"There is no run with run id or logical date {run!r}."
        ) from None


def _print_fields(one: OneTask) -> None:
    import logging

    logging.disable(logging.CRITICAL)  # the template's mistake is told in one line
    for name, value in one.render().items():
        click.echo(f"{RULE}\n# property: {name}\n{RULE}\n{value}\n")
