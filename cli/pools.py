"""``pools``: how many task instances of a kind may run at once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from .command import command, output_option, services
from .lazy_group import LazyGroup
from .output import print_rows

if TYPE_CHECKING:
    from ..database.values import PoolRow

pools = LazyGroup(
    "pools",
    {
        "list": ("pools:list_", "List all pools."),
        "get": ("pools:get", "Show one pool."),
        "set": ("pools:set_", "Create or change a pool."),
        "delete": ("pools:delete", "Delete a pool."),
        "import": ("pools:import_", "Create or change all pools of a JSON file."),
        "export": ("pools:export", "Write all pools to a JSON file."),
    },
    help="Pools: limits that tasks share.",
)

# A number that may be negative would else be taken for an option.
_ALLOWS_NEGATIVE = {"ignore_unknown_options": True, "help_option_names": ["-h", "--help"]}


def _row(pool: PoolRow) -> dict[str, Any]:
    return {
        "pool": pool.name,
        "slots": pool.slots,
        "description": pool.description,
        "include_deferred": pool.include_deferred,
    }


@command("list")
@output_option
def list_(output: str) -> None:
    """List all pools."""
    from ..control import pools as control

    with services() as opened:
        print_rows([_row(pool) for pool in control.list_pools(opened)], output)


@command("get")
@click.argument("pool")
@output_option
def get(pool: str, output: str) -> None:
    """Show POOL."""
    from ..control import pools as control

    with services() as opened:
        print_rows([_row(control.get_pool(opened, pool))], output)


@command("set", context_settings=_ALLOWS_NEGATIVE)
@click.argument("pool")
@click.argument("slots", type=int)
@click.argument("description")
@click.option("--include-deferred", is_flag=True, help="Deferred tasks keep their slots.")
@click.option("--team-name", hidden=True)
@output_option
def set_(
    pool: str,
    slots: int,
    description: str,
    include_deferred: bool,
    team_name: str | None,
    output: str,
) -> None:
    """Create POOL with SLOTS slots (-1: no limit), or change it."""
    from ..control import pools as control

    with services("pools_set") as opened:
        control.set_pool(opened, pool, slots, description, include_deferred=include_deferred)
    click.echo(f"Pool {pool} created")


@command("delete")
@click.argument("pool")
@output_option
def delete(pool: str, output: str) -> None:
    """Delete POOL."""
    from ..control import pools as control

    with services("pools_delete") as opened:
        control.delete_pool(opened, pool)
    click.echo(f"Pool {pool} deleted")


@command("import")
@click.argument("file")
def import_(file: str) -> None:
    """Create or change all pools of FILE: {"name": {"slots": 3, "description": ""}}."""
    from ..control import pools as control
    from ..control.exchange_files import read_json

    with services("pools_import") as opened:
        count = control.import_pools(opened, read_json(file))
    click.echo(f"Uploaded {count} pool(s)")


@command("export")
@click.argument("file")
def export(file: str) -> None:
    """Write all pools to FILE as JSON; ``-`` is stdout."""
    from ..control import pools as control
    from ..control.exchange_files import write_text

    with services() as opened:
        found = control.export_pools(opened)
    write_text(file, json.dumps(found, sort_keys=True, indent=4) + "\n")
    if file != "-":
        click.echo(f"Exported {len(found)} pools to {file}")
