"""``variables``: read, write, carry over."""

from __future__ import annotations

import json

import click

from .command import command, output_option, services
from .lazy_group import LazyGroup
from .output import print_rows

variables = LazyGroup(
    "variables",
    {
        "list": ("variables:list_", "List the keys."),
        "get": ("variables:get", "Print one value."),
        "set": ("variables:set_", "Write one value."),
        "delete": ("variables:delete", "Delete one variable."),
        "import": ("variables:import_", "Write all variables of a file."),
        "export": ("variables:export", "Write all variables to a file."),
    },
    help="Variables: values that DAGs read by name.",
)


@command("list")
@click.option("--show-values", is_flag=True, help="Print the values, too.")
@click.option("--hide-sensitive", is_flag=True, help="Mask values whose key names a secret.")
@output_option
def list_(show_values: bool, hide_sensitive: bool, output: str) -> None:
    """List the keys of all variables."""
    from ..control import variables as control

    with services() as opened:
        rows = control.list_variables(opened, hide_sensitive=hide_sensitive)
    if show_values:
        print_rows([{"key": row.key, "val": row.value} for row in rows], output)
    else:
        print_rows([{"key": row.key} for row in rows], output)


@command("get")
@click.argument("key")
@click.option("-d", "--default", help="Printed where there is no such variable.")
@click.option("-j", "--json", "is_json", is_flag=True, help="Decode JSON and print the value.")
def get(key: str, default: str | None, is_json: bool) -> None:
    """Print the value of KEY."""
    from ..control import variables as control

    with services() as opened:
        value = control.get_variable(opened, key, default=default)
    click.echo(control.decode_json(key, value) if is_json else value)


@command("set")
@click.argument("key")
@click.argument("value")
@click.option("-j", "--json", "is_json", is_flag=True, help="Encode VALUE as JSON once more.")
@click.option("--description", default="", help="What it is for.")
def set_(key: str, value: str, is_json: bool, description: str) -> None:
    """Write VALUE under KEY; an existing variable is overwritten."""
    from ..control import variables as control

    with services("variables_set") as opened:
        text = json.dumps(value) if is_json else value
        control.set_variable(opened, key, text, description=description)
    click.echo(f"Variable {key} created")


@command("delete")
@click.argument("key")
def delete(key: str) -> None:
    """Delete the variable KEY; a missing one is no error."""
    from ..control import variables as control

    with services("variables_delete") as opened:
        was_there = control.delete_variable(opened, key)
    click.echo(f"Variable {key} deleted" if was_there else f"Variable {key} does not exist")


@command("import")
@click.argument("file")
@click.option(
    "-a",
    "--action-on-existing-key",
    type=click.Choice(["overwrite", "fail", "skip"]),
    default="overwrite",
    show_default=True,
    help="What to do with keys that are there already.",
)
def import_(file: str, action_on_existing_key: str) -> None:
    """Write all variables of FILE: JSON, YAML or .env."""
    from ..control import variables as control
    from ..control.exchange_files import read_entries

    entries = read_entries(file)
    with services("variables_import") as opened:
        count = control.import_variables(opened, entries, on_existing=action_on_existing_key)
    click.echo(f"{count} of {len(entries)} variables successfully updated.")


@command("export")
@click.argument("file")
def export(file: str) -> None:
    """Write all variables to FILE as JSON; ``-`` is stdout."""
    from ..control import variables as control
    from ..control.exchange_files import write_text

    with services() as opened:
        values = control.export_variables(opened)
    write_text(file, json.dumps(values, sort_keys=True, indent=4) + "\n")
    if file != "-":
        click.echo(f"{len(values)} Variables successfully exported to {file}.")
