"""Groups that import a command's module only when that command is called.

``tradewind --help`` has to answer in a tenth of a second: names and one-line helps stand here as
data, and no command module is imported to print them.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click

#: command name -> ("module:attribute" relative to this package, one-line help)
CommandTable = Mapping[str, tuple[str, str]]

CONTEXT_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class LazyGroup(click.Group):
    """A group whose commands are named in a table and imported when they are called."""

    def __init__(
        self,
        name: str,
        table: CommandTable,
        *,
        hidden_commands: frozenset[str] = frozenset(),
        **attributes: Any,
    ) -> None:
        attributes.setdefault("context_settings", CONTEXT_SETTINGS)
        super().__init__(name, **attributes)
        self._table = table
        self._hidden_commands = hidden_commands

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._table:
            return None
        module_name, _, attribute = self._table[cmd_name][0].partition(":")
        module = importlib.import_module("." + module_name, __package__)
        command: click.Command = getattr(module, attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(self.help_lines())

    def help_lines(self) -> list[tuple[str, str]]:
        """Return name and one-line help of each command that is shown."""
        return [
            (name, help_text)
            for name, (_, help_text) in self._table.items()
            if name not in self._hidden_commands
        ]
