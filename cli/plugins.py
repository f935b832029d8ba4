"""``plugins``: what the plugins bring, and which of them cannot be loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .command import command, output_option
from .output import print_rows

if TYPE_CHECKING:
    from ..sdk.plugins import LoadedPlugin

NO_PLUGINS = "No plugins loaded"


@command("plugins")
@output_option
def plugins(output: str) -> None:
    """Show the plugins of the plugins folder and of installed packages.

    One that cannot be loaded is named on stderr, and the exit code is 1 then.
    """
    import logging

    from ..sdk.plugins import load_plugins

    logging.getLogger("tradewind.sdk.plugins").setLevel(logging.CRITICAL)  # said below
    loaded = load_plugins()
    rows = [_row(one) for one in loaded.plugins]
    if rows or output != "table":
        print_rows(rows, output)
    else:
        click.echo(NO_PLUGINS)
    if loaded.errors:
        lines = [f"{source}: {error}" for source, error in loaded.errors.items()]
        raise click.ClickException("\n".join(lines))


def _row(one: LoadedPlugin) -> dict[str, Any]:
    from ..sdk.plugins import NOT_SERVED, SERVED

    return {
        "name": one.name,
        "source": one.source,
        "brings": _kinds(one.plugin, SERVED),
        "not_served": _kinds(one.plugin, NOT_SERVED),
    }


def _kinds(plugin: Any, kinds: tuple[str, ...]) -> list[str]:
    return [f"{kind} ({len(found)})" for kind in kinds if (found := getattr(plugin, kind, None))]
