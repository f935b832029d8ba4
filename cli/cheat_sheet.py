"""``cheat-sheet``: every command with its one-line help."""

from __future__ import annotations

import click

from .command import command
from .lazy_group import LazyGroup
from .main import root


@command("cheat-sheet")
@click.pass_context
def cheat_sheet(context: click.Context) -> None:
    """Print every command with what it does, one a line."""
    name = context.find_root().info_name or "tradewind"
    lines: list[tuple[str, str]] = []
    for command_name, help_text in root.help_lines():
        found = root.get_command(context, command_name)
        if isinstance(found, LazyGroup):
            lines += [(f"{name} {command_name} {n}", text) for n, text in found.help_lines()]
        else:
            lines.append((f"{name} {command_name}", help_text))
    width = max(len(line[0]) for line in lines)
    for left, right in lines:
        click.echo(f"{left.ljust(width)}  {right}")
