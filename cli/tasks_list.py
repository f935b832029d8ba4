"""``tasks list`` and the other commands that only read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .command import command, folder_options, output_option, services
from .output import print_rows

if TYPE_CHECKING:
    from ..database.values import TaskInstanceRow
    from ..sdk.serialized import SerializedDag

INDENT = "    "


def map_index_option(function: Any) -> Any:
    """Add ``--map-index``: which instance of a mapped task."""
    return click.option(
        "--map-index", type=int, default=-1, show_default=True, help="-1: not mapped."
    )(function)


@command("list")
@click.argument("dag_id")
@click.option("-t", "--tree", is_flag=True, help="Indent each task below those before it.")
@folder_options
def list_(dag_id: str, tree: bool, subdir: str | None, bundle_name: tuple[str, ...]) -> None:
    """Print the task ids of DAG_ID, one a line."""
    from .load_dag import find_serialized

    dag = find_serialized(dag_id, subdir)
    lines = _tree(dag) if tree else sorted(task.task_id for task in dag.tasks)
    click.echo("\n".join(lines))


def _tree(dag: SerializedDag) -> list[str]:
    """Return one line a task and path; a task below two others stands under both."""
    tasks = {task.task_id: task for task in dag.tasks}
    below: dict[str, list[str]] = {task_id: [] for task_id in tasks}
    for task in dag.tasks:
        for upstream_id in task.upstream_task_ids:
            below[upstream_id].append(task.task_id)
    lines: list[str] = []
    waiting = [(task.task_id, 0) for task in reversed(dag.tasks) if not task.upstream_task_ids]
    while waiting:
        task_id, depth = waiting.pop()
        lines.append(f"{INDENT * depth}<Task({tasks[task_id].task_type}): {task_id}>")
        waiting += [(id_, depth + 1) for id_ in sorted(below[task_id], reverse=True)]
    return lines


@command("state")
@click.argument("dag_id")
@click.argument("task_id")
@click.argument("run")
@map_index_option
@folder_options
def state(
    dag_id: str,
    task_id: str,
    run: str,
    map_index: int,
    subdir: str | None,
    bundle_name: tuple[str, ...],
) -> None:
    """Print the state of TASK_ID in RUN (a run id or a logical date)."""
    from ..control.runs import get_run

    with services() as opened:
        found = get_run(opened, dag_id, run)
        row = opened.store.task_instances.get(dag_id, found.run_id, task_id, map_index)
    click.echo("None" if row.state == "none" else str(row.state))


@command("states-for-dag-run")
@click.argument("dag_id")
@click.argument("run")
@output_option
def states_for_dag_run(dag_id: str, run: str, output: str) -> None:
    """List the task instances of RUN (a run id or a logical date) with their states."""
    from ..control.runs import get_run

    with services() as opened:
        found = get_run(opened, dag_id, run)
        rows = opened.store.task_instances.list(dag_id, found.run_id)
    is_any_mapped = any(row.map_index >= 0 for row in rows)
    print_rows([_state_row(row, is_any_mapped) for row in rows], output)


def _state_row(row: TaskInstanceRow, has_map_index: bool) -> dict[str, Any]:
    fields = {
        "dag_id": row.dag_id,
        "logical_date": row.logical_date,
        "execution_date": row.logical_date,
        "task_id": row.task_id,
        "state": None if row.state == "none" else str(row.state),
        "start_date": row.started_at,
        "end_date": row.ended_at,
    }
    return {**fields, "map_index": row.map_index} if has_map_index else fields


@command("failed-deps")
@click.argument("dag_id")
@click.argument("task_id")
@click.argument("run")
@map_index_option
@folder_options
def failed_deps(
    dag_id: str,
    task_id: str,
    run: str,
    map_index: int,
    subdir: str | None,
    bundle_name: tuple[str, ...],
) -> None:
    """Print why TASK_ID in RUN (a run id or a logical date) does not run."""
    from ..control.explain import why_not_running
    from ..control.runs import get_run

    with services() as opened:
        found = get_run(opened, dag_id, run)
        reasons = why_not_running(opened, dag_id, found.run_id, task_id, map_index)
    if not reasons:
        click.echo("Task instance dependencies are all met.")
        return
    click.echo("Task instance dependencies not met:")
    for reason in reasons:
        click.echo(f"Dependency: {reason}")
