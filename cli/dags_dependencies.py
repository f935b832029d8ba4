"""``dags show-dependencies``: which DAG starts, or waits for, which other one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .command import command, folder_options, services

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..control.dag_dependencies import DagDependency
    from ..sdk.serialized import SerializedDag

TITLE = "DAG dependencies"
ASSET_COLOR = "#cdeccd"


@command("show-dependencies")
@click.option("-s", "--save", metavar="FILE", help="Write to FILE; its ending says the format.")
@click.option("--imgcat", is_flag=True, help="Show a picture in the terminal with imgcat.")
@folder_options
def show_dependencies(
    save: str | None, imgcat: bool, subdir: str | None, bundle_name: tuple[str, ...]
) -> None:
    """Print as DOT, or save, how DAGs start and wait for each other and for assets."""
    from ..control.dag_dependencies import list_dependencies
    from .dags_show import save_picture, show_picture, to_dot
    from .parse_first import parse_folder

    if save and imgcat:
        raise click.ClickException("Say --save or --imgcat, not both.")
    with services() as opened:
        parse_folder(opened)
        graph = as_graph(list_dependencies(opened))
    if save:
        save_picture(graph, Path(save))
        click.echo(f"File {save} saved")
    elif imgcat:
        show_picture(graph)
    else:
        click.echo(to_dot(graph, TITLE))


def as_graph(dependencies: Sequence[DagDependency]) -> SerializedDag:
    """Return a graph whose nodes are DAGs and assets, to be drawn as one of tasks is.

    What nothing leads to comes first; where DAGs lead to each other in a circle, by name.
    """
    from ..control.dag_dependencies import ASSET_PREFIX
    from ..sdk.serialized import SerializedDag, SerializedTask, SerializedTimetable

    above: dict[str, set[str]] = {}
    for one in dependencies:
        above.setdefault(one.source, set())
        above.setdefault(one.target, set()).add(one.source)
    tasks = []
    waiting = sorted(above)
    while waiting:
        node = next((name for name in waiting if not above[name] & set(waiting)), waiting[0])
        waiting.remove(node)
        is_asset = node.startswith(ASSET_PREFIX)
        tasks.append(
            SerializedTask(
                node,
                "Asset" if is_asset else "DAG",
                task_display_name=node.removeprefix(ASSET_PREFIX) if is_asset else node,
                upstream_task_ids=sorted(above[node]),
                ui_color=ASSET_COLOR if is_asset else "#fff",
            )
        )
    labels = [[one.source, one.target, one.label] for one in dependencies if one.label]
    timetable = SerializedTimetable("null")
    return SerializedDag(TITLE, "3", timetable, tasks=tasks, edge_labels=labels)
