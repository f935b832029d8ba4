"""``tasks respond``: answer a task that asks a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from .command import command, services
from .tasks_list import map_index_option


@command("respond")
@click.argument("dag_id")
@click.argument("task_id")
@click.argument("run_id")
@click.option("--option", "options", multiple=True, help="What is chosen; several where allowed.")
@click.option("--params", metavar="JSON", help="What is entered: an object of names and values.")
@map_index_option
def respond(
    dag_id: str,
    task_id: str,
    run_id: str,
    options: tuple[str, ...],
    params: str | None,
    map_index: int,
) -> None:
    """Answer TASK_ID of the run RUN_ID of DAG_ID. Without --option, print what it asks."""
    from ..control import answers
    from ..control.input import parse_json_object

    entered = parse_json_object(params, "--params")
    with services() as opened:
        row = opened.store.task_instances.get(dag_id, run_id, task_id, map_index)
        if not options:
            _print_question(answers.find_question(opened, row).asked)
            return
        answers.respond(opened, row, options, entered)
    click.echo(f"{task_id} was answered: {', '.join(options)}")


def _print_question(question: Mapping[str, Any]) -> None:
    import json

    click.echo(question["subject"])
    if question.get("body"):
        click.echo(question["body"])
    click.echo(f"options: {', '.join(question['options'])}")
    if question["params"]:
        click.echo(f"params: {json.dumps(question['params'])}")
