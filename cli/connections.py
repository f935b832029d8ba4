"""``connections``: how DAGs reach other systems."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .command import command, output_option, services
from .lazy_group import LazyGroup
from .output import print_rows

connections = LazyGroup(
    "connections",
    {
        "list": ("connections:list_", "List all connections."),
        "get": ("connections:get", "Show one connection."),
        "add": ("connections:add", "Store a connection."),
        "delete": ("connections:delete", "Delete a connection."),
        "import": ("connections:import_", "Store all connections of a file."),
        "export": ("connections:export", "Write all connections to a file."),
        "create-default-connections": (
            "connections:create_default_connections",
            "Store the connections that Airflow's guides use.",
        ),
        "test": ("connections:test", "Try to reach the other system."),
    },
    help="Connections: how DAGs reach other systems.",
)

FILE_FORMATS = {"json": "json", "yaml": "yaml", "yml": "yaml", "env": "env"}


@command("list")
@click.option("--conn-id", help="Only this one.")
@click.option("--show-values", is_flag=True, help="All fields, secrets too.")
@click.option("--hide-sensitive", is_flag=True, help="With --show-values: mask secrets.")
@output_option
def list_(conn_id: str | None, show_values: bool, hide_sensitive: bool, output: str) -> None:
    """List all connections with their types."""
    from ..control import connections as control

    with services() as opened:
        found = control.list_connections(opened)
    rows = [
        control.masked_fields(one, is_shown=show_values and not hide_sensitive)
        for one in found
        if conn_id is None or one.conn_id == conn_id
    ]
    if not show_values:
        rows = [{"conn_id": row["conn_id"], "conn_type": row["conn_type"]} for row in rows]
    print_rows(rows, output)


@command("get")
@click.argument("conn_id")
@click.option("--color", type=click.Choice(["auto", "on", "off"]), hidden=True)
@click.option("--show-values", is_flag=True, help="Secrets, too.")
@output_option
def get(conn_id: str, color: str | None, show_values: bool, output: str) -> None:
    """Show the connection CONN_ID; secrets are masked."""
    from ..control import connections as control

    with services() as opened:
        found = control.get_connection(opened, conn_id)
    print_rows([control.masked_fields(found, is_shown=show_values)], output)


@command("add")
@click.argument("conn_id")
@click.option("--conn-uri", help="The whole connection as a URI.")
@click.option("--conn-json", help="The whole connection as JSON.")
@click.option("--conn-type")
@click.option("--conn-host")
@click.option("--conn-login")
@click.option("--conn-password")
@click.option("--conn-schema")
@click.option("--conn-port")
@click.option("--conn-extra", help="JSON.")
@click.option("--conn-description")
def add(conn_id: str, conn_uri: str | None, conn_json: str | None, **fields: str | None) -> None:
    """Store the connection CONN_ID: as --conn-uri, as --conn-json, or as --conn-type and fields."""
    from ..control import connections as control
    from ..control.input import parse_json_object

    given = {name.removeprefix("conn_"): value for name, value in fields.items() if value}
    description = given.pop("description", None)
    parse_json_object(given.get("extra"), "--conn-extra")  # no hook could read anything else
    connection = control.read_connection(conn_id, _one_form(conn_uri, conn_json, given))
    if description:
        connection.description = description
    with services("connections_add") as opened:
        control.add_connection(opened, connection)
    click.echo(f"Successfully added `conn_id`={conn_id}")


def _one_form(uri: str | None, text: str | None, fields: dict[str, str]) -> str | dict[str, Any]:
    """Return the form that was given.

    Raises:
        ClickException: none, or several.
    """
    if uri and text:
        raise click.ClickException("Say --conn-uri or --conn-json, not both.")
    if (uri or text) and fields:
        names = ", ".join(f"--conn-{name}" for name in fields)
        raise click.ClickException(f"{names} cannot be combined with --conn-uri or --conn-json.")
    if uri:
        if "://" not in uri and ":" not in uri:
            raise click.ClickException("The URI has no type, such as postgres:// at its front.")
        return uri
    if text:
        if not text.strip().startswith("{"):
            raise click.ClickException("--conn-json must be a JSON object.")
        return text
    if "type" not in fields:
        raise click.ClickException("Say --conn-uri, --conn-json or --conn-type.")
    return {"conn_type" if name == "type" else name: value for name, value in fields.items()}


@command("delete")
@click.argument("conn_id")
@click.option("--color", type=click.Choice(["auto", "on", "off"]), hidden=True)
def delete(conn_id: str, color: str | None) -> None:
    """Delete the connection CONN_ID."""
    from ..control import connections as control

    with services("connections_delete") as opened:
        control.delete_connection(opened, conn_id)
    click.echo(f"Successfully deleted connection with `conn_id`={conn_id}")


@command("import")
@click.argument("file")
@click.option("--overwrite", is_flag=True, help="Replace connections that are there already.")
def import_(file: str, overwrite: bool) -> None:
    """Store all connections of FILE: .json, .yaml or .env."""
    from ..control import connections as control
    from ..control.exchange_files import read_entries

    entries = read_entries(file)
    with services("connections_import") as opened:
        outcome = control.import_connections(opened, entries, is_overwriting=overwrite)
    for conn_id, is_stored in outcome:
        if is_stored:
            click.echo(f"Imported connection {conn_id}")
        else:
            click.echo(f"Could not import connection {conn_id}: connection already exists.")


@command("export")
@click.argument("file")
@click.option("--file-format", type=click.Choice(["json", "yaml", "env"]), help="Else by ending.")
@click.option("--format", "old_format", type=click.Choice(["json", "yaml", "env"]), hidden=True)
@click.option(
    "--serialization-format", type=click.Choice(["json", "uri"]), help="Of values in an env file."
)
def export(
    file: str, file_format: str | None, old_format: str | None, serialization_format: str | None
) -> None:
    """Write all connections to FILE, passwords included; ``-`` is stdout."""
    from ..control import connections as control
    from ..control.exchange_files import write_text

    kind = file_format or old_format or _kind_of(file)
    if serialization_format and kind != "env":
        raise click.ClickException("--serialization-format is for env files only.")
    with services() as opened:
        found = control.list_connections(opened)
    write_text(file, control.export_text(found, kind, is_uri=serialization_format != "json"))
    if file != "-":
        click.echo(f"Connections successfully exported to {file}.")


def _kind_of(file: str) -> str:
    if file == "-":
        return "json"
    kind = FILE_FORMATS.get(Path(file).suffix.removeprefix(".").lower())
    if kind is None:
        raise click.ClickException(
            f"The ending of {file} says no format: use .json, .yaml or .env, or --file-format."
        )
    return kind


@command("test")
@click.argument("conn_id")
def test(conn_id: str) -> None:
    """Try to reach the other system; only where [core] test_connection is Enabled."""
    from ..control import connections as control
    from ..sdk.configuration import conf

    if conf.get("core", "test_connection").lower() != "enabled":
        raise click.ClickException(
            "Testing connections is disabled: set [core] test_connection = Enabled."
        )
    with services() as opened:
        found = control.get_connection(opened, conn_id)
    hook = found.get_hook()
    if not hasattr(hook, "test_connection"):
        raise click.ClickException(f"Connections of type {found.conn_type} cannot be tested.")
    is_reached, message = hook.test_connection()
    if not is_reached:
        raise click.ClickException(f"Connection failed! {message}")
    click.echo(f"Connection success! {message}")


@command("create-default-connections")
def create_default_connections() -> None:
    """Store the connections that Airflow's guides use; those that are there stay as they are."""
    from ..control.default_connections import create_defaults

    with services("connections_create_default_connections") as opened:
        made = create_defaults(opened)
    click.echo(f"Created {len(made)} connection(s)." if made else "All of them exist already.")
