"""``assets``: what DAGs make and wait for."""

from __future__ import annotations

from typing import Any

import click

from .command import command, output_option, services
from .lazy_group import LazyGroup
from .output import print_rows

assets = LazyGroup(
    "assets",
    {
        "list": ("assets:list_", "List all assets, or all aliases."),
        "details": ("assets:details", "Show one asset: who makes it, and who waits for it."),
        "materialize": ("assets:materialize", "Run the DAG that makes an asset."),
    },
    help="Assets (datasets): what DAGs make and wait for.",
)

COLUMNS = ("name", "uri", "group", "extra")

_name_option = click.option("--name", metavar="NAME", help="Name of the asset.")
_uri_option = click.option("--uri", metavar="URI", help="URI of the asset.")


@command("list")
@click.option("--alias", "is_alias", is_flag=True, help="List aliases.")
@click.option("--columns", default=",".join(COLUMNS), show_default=True, help="Comma separated.")
@output_option
def list_(is_alias: bool, columns: str, output: str) -> None:
    """List the assets that DAGs in force name."""
    from .parse_first import parse_folder

    with services() as opened:
        parse_folder(opened)
        if is_alias:
            found = opened.store.assets.aliases()
            rows: list[dict[str, Any]] = [
                {"name": alias, "group": "asset", "assets": names} for alias, names in found.items()
            ]
        else:
            rows = [
                {
                    "name": row.name,
                    "uri": row.uri,
                    "group": row.group,
                    "extra": row.extra or {},
                    "created_at": row.created_at,
                    "last_event_at": row.last_event_at,
                }
                for row in opened.store.assets.list()
            ]
    if not is_alias:
        wanted = [name.strip() for name in columns.split(",") if name.strip()]
        rows = [{name: row.get(name) for name in wanted} for row in rows]
    print_rows(rows, output)


@command("details")
@click.option("--alias", "is_alias", is_flag=True, help="--name is the name of an alias.")
@_name_option
@_uri_option
@output_option
def details(is_alias: bool, name: str | None, uri: str | None, output: str) -> None:
    """Show one asset: who makes it, and who waits for it."""
    from ..control.assets import find_asset, list_references
    from .parse_first import parse_folder

    with services() as opened:
        parse_folder(opened)
        if is_alias:
            print_rows([_alias_row(opened.store.assets.aliases(), name, uri)], output)
            return
        asset = find_asset(opened, name=name, uri=uri)
        references = list_references(opened, asset)
    tasks: dict[str, list[str]] = {"inlet": [], "outlet": []}
    for one in references:
        if one.kind in tasks:
            tasks[one.kind].append(f"{one.dag_id}.{one.task_id}")
    row = {
        "name": asset.name,
        "uri": asset.uri,
        "group": asset.group,
        "extra": asset.extra or {},
        "created_at": asset.created_at,
        "last_event_at": asset.last_event_at,
        "is_active": asset.is_active,
        "scheduled_dags": [one.dag_id for one in references if one.kind == "schedule"],
        "producing_tasks": tasks["outlet"],
        "consuming_tasks": tasks["inlet"],
    }
    print_rows([row], output)


def _alias_row(aliases: dict[str, list[str]], name: str | None, uri: str | None) -> dict[str, Any]:
    from ..control.input import InvalidInput
    from ..database.errors import NotFound

    if uri or not name:
        raise InvalidInput("An alias is named by --name alone")
    if name not in aliases:
        raise NotFound(f"Asset alias with name {name} does not exist.")
    return {"name": name, "group": "asset", "assets": aliases[name]}


@command("materialize")
@_name_option
@_uri_option
@output_option
def materialize(name: str | None, uri: str | None, output: str) -> None:
    """Run the one DAG that makes an asset."""
    from ..control import assets as control
    from .dags_act import trigger_row
    from .parse_first import parse_folder

    with services("assets_materialize") as opened:
        parse_folder(opened)
        run = control.materialize(opened, name=name, uri=uri)
        is_paused = opened.store.dags.get(run.dag_id).is_paused
    if is_paused:
        click.echo(
            f"DAG {run.dag_id} is paused: the run stays queued until it is unpaused.", err=True
        )
    print_rows([trigger_row(run)], output)
