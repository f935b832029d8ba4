"""``config``: settings, and where each comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .command import command
from .lazy_group import LazyGroup

if TYPE_CHECKING:
    from ..sdk.configuration import Configuration
    from ..sdk.configuration_names import Name

config = LazyGroup(
    "config",
    {
        "get-value": ("config:get_value", "Print one value."),
        "list": ("config:list_", "Print all settings as an ini file."),
        "lint": ("config:lint", "Report settings that are unknown or have moved."),
    },
    help="Settings and where they come from.",
)


@command("get-value")
@click.argument("section")
@click.argument("option")
def get_value(section: str, option: str) -> None:
    """Print the value in effect, also one from a command or a secrets backend."""
    from ..sdk.configuration import conf

    if not conf.has_option(section, option):
        click.echo(f"The option [{section}] {option} has no value.", err=True)
        return
    click.echo(conf.get(section, option))


@command("list")
@click.option("--section", help="Only this section.")
@click.option("-d", "--include-descriptions", is_flag=True, help="What each option means.")
@click.option("-e", "--include-examples", is_flag=True, help="Accepted; there are none.")
@click.option("-s", "--include-sources", is_flag=True, help="Where each value comes from.")
@click.option("-V", "--include-env-vars", is_flag=True, help="The environment variable's name.")
@click.option("-c", "--comment-out-everything", is_flag=True, help="Put # before each value.")
@click.option("-a", "--defaults", is_flag=True, help="Defaults instead of values in effect.")
@click.option("-p", "--exclude-providers", is_flag=True, help="Accepted.")
@click.option("--color", type=click.Choice(["auto", "on", "off"]), default="auto", hidden=True)
@click.option("--show-values/--hide-sensitive", "is_shown", default=False, help="Show secrets.")
def list_(
    section: str | None,
    include_descriptions: bool,
    include_examples: bool,
    include_sources: bool,
    include_env_vars: bool,
    comment_out_everything: bool,
    defaults: bool,
    exclude_providers: bool,
    color: str,
    is_shown: bool,
) -> None:
    """Print all settings as an ini file. Secrets are hidden unless --show-values is given."""
    from ..sdk.configuration import conf

    shown = conf.as_dict(display_source=True, display_sensitive=is_shown)
    for name, options in shown.items():
        if section is not None and name != section.lower():
            continue
        click.echo(f"[{name}]")
        for key, (value, source) in options.items():
            if defaults:
                value = _default(name, key)
            if include_descriptions and conf.description(name, key):
                click.echo(f"# {conf.description(name, key)}")
            if include_sources:
                click.echo(f"# Source: {source or 'unset'}")
            if include_env_vars:
                variable = f"TRADEWIND__{name.replace('.', '_')}__{key}".upper()
                click.echo(f"# Variable: {variable}")
            text = str(value).replace("\n", "\n    ")
            click.echo(f"{'# ' if comment_out_everything else ''}{key} = {text}")
        click.echo()


@command("lint")
@click.option("--section", help="Only this section.")
@click.option("--option", help="Only this option.")
@click.option("--ignore-section", help="Not this section.")
@click.option("--ignore-option", help="Not this option.")
def lint(
    section: str | None, option: str | None, ignore_section: str | None, ignore_option: str | None
) -> None:
    """Report settings that are unknown, have moved or change nothing, and unreadable values."""
    from ..sdk.configuration import conf

    found = False
    for (where, key), problem in (*_misnamed(conf), *_idle(conf), *_unreadable(conf)):
        is_asked = section in (None, where) and option in (None, key)
        if is_asked and ignore_section != where and ignore_option != key:
            click.echo(problem)
            found = True
    if not found:
        click.echo("No issues found in your settings.")


def _default(section: str, key: str) -> str:
    from ..sdk.configuration_defaults import DEFAULTS

    return DEFAULTS.get(section, {}).get(key, (None, ""))[0] or ""


def _misnamed(conf: Configuration) -> list[tuple[Name, str]]:
    """Return each option whose name is not known, or an old one, with one line about it."""
    unknown = [
        ((section, key), f"[{section}] {key} is not known and changes nothing")
        for section, key in conf.unknown()
    ]
    moved = [
        ((section, key), f"[{section}] {key} is now [{new[0]}] {new[1]}; the old name works")
        for (section, key), new in conf.moved().items()
    ]
    return [*unknown, *moved]


def _idle(conf: Configuration) -> list[tuple[Name, str]]:
    """Return each option that is set, to other than the default, and is not read."""
    from ..sdk.configuration_idle import IDLE

    return [
        ((section, key), f"[{section}] {key} changes nothing here: {reason}")
        for (section, key), reason in IDLE.items()
        if conf.find(section, key)[1] not in ("default", "")
        and conf.find(section, key)[0] != _default(section, key)
    ]


def _unreadable(conf: Configuration) -> list[tuple[Name, str]]:
    """Return the errors of set values whose defaults are numbers or booleans and that are not."""
    from ..sdk.configuration_defaults import DEFAULTS
    from ..sdk.errors import ConfigurationError

    errors = []
    for section, options in DEFAULTS.items():
        for key, (default, _) in options.items():
            read = conf.getboolean if default in ("True", "False") else None
            if default and default.replace(".", "", 1).isdigit():
                read = conf.getfloat  # type: ignore[assignment]
            try:
                if read is not None:
                    read(section, key)
            except ConfigurationError as error:
                errors.append(((section, key), str(error)))
    return errors
