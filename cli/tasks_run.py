"""``tasks run``: run one task of an existing run now, and wait until it has ended."""

from __future__ import annotations

import time
from contextlib import nullcontext
from typing import TYPE_CHECKING

import click

from .command import command, folder_options, services
from .tasks_list import map_index_option

if TYPE_CHECKING:
    from ..control.services import Services
    from ..database.values import TaskInstanceRow

POLL_S = 0.2
#: A task that nothing holds is queued within a sweep; this is many of them.
START_TIMEOUT_S = 15.0


@command("run")
@click.argument("dag_id")
@click.argument("task_id")
@click.argument("run")
@click.option("-m", "--mark-success", is_flag=True, help="Mark it success instead of running it.")
@click.option("-f", "--force", is_flag=True, help="Run it although it has run already.")
@click.option("-A", "--ignore-all-dependencies", is_flag=True, help="Not supported for runs.")
@click.option("-i", "--ignore-dependencies", is_flag=True, hidden=True)
@click.option("-I", "--ignore-depends-on-past", is_flag=True, hidden=True)
@click.option(
    "-d", "--depends-on-past", type=click.Choice(["check", "ignore", "wait"]), hidden=True
)
@click.option("-l", "--local", is_flag=True, hidden=True)
@click.option("-r", "--raw", is_flag=True, hidden=True)
@click.option("-N", "--interactive", is_flag=True, hidden=True)
@click.option("--pool", hidden=True)
@click.option("--cfg-path", hidden=True)
@click.option("--ship-dag", is_flag=True, hidden=True)
@click.option("-p", "--pickle", hidden=True)
@click.option("--read-from-db", is_flag=True, hidden=True)
@click.option("-j", "--job-id", hidden=True)
@click.option("--no-shut-down-logging", is_flag=True, hidden=True)
@map_index_option
@folder_options
def run(
    dag_id: str,
    task_id: str,
    run: str,
    mark_success: bool,
    force: bool,
    ignore_all_dependencies: bool,
    ignore_dependencies: bool,
    map_index: int,
    **_accepted: object,
) -> None:
    """Run TASK_ID in RUN (a run id or a logical date), and wait; exits with 1 when it fails.

    A task whose dependencies are not met does not run: 'tasks failed-deps' says why, and
    'tasks test' runs it here without recording anything.
    """
    from ..control.mark import mark_task
    from ..control.runs import get_run

    with services("tasks_run") as opened:
        found = get_run(opened, dag_id, run)
        row = opened.store.task_instances.get(dag_id, found.run_id, task_id, map_index)
        if mark_success:
            mark_task(opened, dag_id, found.run_id, task_id, "success", map_index=map_index)
            click.echo(f"{task_id}: success")
            return
        if ignore_all_dependencies or ignore_dependencies:
            click.echo(
                "Dependencies are not ignored: they are what the run is decided by.", err=True
            )
        state = _run_now(opened, row, is_forced=force)
    click.echo(f"{task_id}: {state}")
    if state not in ("success", "skipped"):
        raise click.ClickException(f"Task {task_id} of {dag_id} {found.run_id}: {state}")


def _run_now(services: Services, row: TaskInstanceRow, *, is_forced: bool) -> str:
    from ..database.selections import Selection
    from ..sdk.states import FINISHED
    from .drive import driven
    from .server import has_server

    if row.state in FINISHED:
        if not is_forced:
            click.echo(
                f"{row.task_id} has ended already ({row.state}); --force runs it again.", err=True
            )
            return str(row.state)
        selection = Selection(
            row.dag_id, run_ids=[row.run_id], instances=[(row.task_id, row.map_index)]
        )
        services.store.task_instances.clear(selection, services.now(), services.actor)
    with nullcontext() if has_server() else driven():
        return _wait(services, row)


def _wait(services: Services, row: TaskInstanceRow) -> str:
    from ..control.explain import why_not_running
    from ..sdk.states import FINISHED

    key = (row.dag_id, row.run_id, row.task_id, row.map_index)
    until_s = services.clock.monotonic() + START_TIMEOUT_S
    while True:
        now = services.store.task_instances.get(*key)
        if now.state in FINISHED:
            return str(now.state)
        is_idle = now.state in ("none", "scheduled", "up_for_reschedule", "up_for_retry")
        if is_idle and services.clock.monotonic() > until_s:
            reasons = "; ".join(why_not_running(services, *key)) or "no runner took it"
            raise click.ClickException(f"Task {row.task_id} does not run: {reasons}")
        if not is_idle:
            until_s = services.clock.monotonic() + START_TIMEOUT_S
        time.sleep(POLL_S)
