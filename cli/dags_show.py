"""``dags show``: the graph of a DAG as DOT text, or saved as a picture."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .command import command

if TYPE_CHECKING:
    from ..sdk.serialized import SerializedDag, SerializedGroup


@command("show")
@click.argument("dag_id")
@click.option("-s", "--save", metavar="FILE", help="Write to FILE; its ending says the format.")
@click.option("--imgcat", is_flag=True, help="Show a picture in the terminal with imgcat.")
@click.option("-S", "--subdir", hidden=True)
def show(dag_id: str, save: str | None, imgcat: bool, subdir: str | None) -> None:
    """Print the graph of DAG_ID as DOT, or save it."""
    from .load_dag import find_serialized

    if save and imgcat:
        raise click.ClickException("Say --save or --imgcat, not both.")
    dag = find_serialized(dag_id, subdir)
    if save:
        save_picture(dag, Path(save))
        click.echo(f"File {save} saved")
    elif imgcat:
        show_picture(dag)
    else:
        click.echo(to_dot(dag))


def to_dot(dag: SerializedDag, title: str | None = None) -> str:
    """Return the graph in Graphviz's language: groups as clusters, labels on edges."""
    groups = {group.group_id: group for group in dag.groups}
    labels = {(edge[0], edge[1]): edge[2] for edge in dag.edge_labels if len(edge) == 3}
    lines = [
        f"digraph {_quote(dag.dag_id)} {{",
        f"  graph [label={_quote(title or 'DAG: ' + dag.dag_id)}, labelloc=t, rankdir=LR]",
        '  node [shape=rectangle, style="rounded,filled"]',
    ]
    for group in dag.groups:
        if not group.parent_id:
            lines += _cluster(dag, group, groups, "  ")
    lines += [_node(dag, task.task_id, "  ") for task in dag.tasks if not task.group_id]
    for task in dag.tasks:
        for upstream_id in task.upstream_task_ids:
            label = labels.get((upstream_id, task.task_id))
            attributes = f" [label={_quote(label)}]" if label else ""
            lines.append(f"  {_quote(upstream_id)} -> {_quote(task.task_id)}{attributes}")
    return "\n".join([*lines, "}"])


def _cluster(
    dag: SerializedDag, group: SerializedGroup, groups: dict[str, SerializedGroup], indent: str
) -> list[str]:
    lines = [
        f"{indent}subgraph {_quote('cluster_' + group.group_id)} {{",
        f"{indent}  label={_quote(group.label or group.group_id)}",
    ]
    for inner in groups.values():
        if inner.parent_id == group.group_id:
            lines += _cluster(dag, inner, groups, indent + "  ")
    lines += [
        _node(dag, task.task_id, indent + "  ")
        for task in dag.tasks
        if task.group_id == group.group_id
    ]
    return [*lines, f"{indent}}}"]


def _node(dag: SerializedDag, task_id: str, indent: str) -> str:
    task = next(task for task in dag.tasks if task.task_id == task_id)
    label = task.task_display_name or task.label or task_id
    return (
        f"{indent}{_quote(task_id)} [label={_quote(label)}, fillcolor={_quote(task.ui_color)}, "
        f"fontcolor={_quote(task.ui_fgcolor)}]"
    )


def _quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def save_picture(dag: SerializedDag, path: Path) -> None:
    """Write the graph to *path*: DOT and SVG by ourselves, other endings through Graphviz.

    Raises:
        ClickException: it cannot be written, or Graphviz is needed and not installed.
    """
    kind = path.suffix.removeprefix(".").lower()
    if not kind:
        raise click.ClickException(f"{path} has no ending that says the format, such as .svg.")
    try:
        if kind in ("dot", "gv"):
            path.write_text(to_dot(dag) + "\n", encoding="utf-8")
        elif kind == "svg":
            from .graph_picture import to_svg

            path.write_text(to_svg(dag), encoding="utf-8")
        else:
            path.write_bytes(_render(to_dot(dag), kind))
    except OSError as error:
        raise click.ClickException(f"Cannot write {path}: {error.strerror}") from None


def show_picture(dag: SerializedDag) -> None:
    """Show the graph in the terminal.

    Raises:
        ClickException: Graphviz or imgcat is not installed, or fails.
    """
    _run(["imgcat"], _render(to_dot(dag), "png"))


def _render(text: str, kind: str) -> bytes:
    return _run(["dot", f"-T{kind}"], text.encode())


def _run(words: list[str], given: bytes) -> bytes:
    program = shutil.which(words[0])
    if program is None:
        raise click.ClickException(
            f"The program {words[0]} is not installed; save as .svg or .dot, which need none."
        )
    done = subprocess.run([program, *words[1:]], input=given, capture_output=True, check=False)
    if done.returncode != 0:
        reason = done.stderr.decode(errors="replace").strip().splitlines()
        raise click.ClickException(f"{words[0]} failed: {reason[0] if reason else 'no reason'}")
    return done.stdout
