"""``roles``: what the users of the web page may do."""

from __future__ import annotations

import json

import click

from .command import command, output_option, services
from .lazy_group import LazyGroup
from .output import print_rows

roles = LazyGroup(
    "roles",
    {
        "list": ("roles:list_", "List all roles."),
        "create": ("roles:create", "Create roles."),
        "delete": ("roles:delete", "Delete roles."),
        "add-perms": ("roles:add_perms", "Let roles do more."),
        "del-perms": ("roles:del_perms", "Let roles do less."),
        "export": ("roles:export", "Write all roles to a JSON file."),
        "import": ("roles:import_", "Create and extend roles from a JSON file."),
    },
    help="Roles of the users of the web page.",
)

_ACTION = "can_read, can_create, can_edit, can_delete or menu_access. Repeatable."
_RESOURCE = "DAGs, Task Logs, DAG:<dag_id> and so on; see 'roles list -p'. Repeatable."


@command("list")
@click.option("-p", "--permission", is_flag=True, help="With the permissions of each.")
@output_option
def list_(permission: bool, output: str) -> None:
    """List all roles."""
    from ..control import roles as control

    with services() as opened:
        found = control.list_roles(opened)
        rows = control.export_roles(opened) if permission else [{"name": one.name} for one in found]
    print_rows(rows, output)


@command("create")
@click.argument("role", nargs=-1, required=True)
def create(role: tuple[str, ...]) -> None:
    """Create ROLE…; one that exists is no error and stays as it is."""
    from ..control import roles as control

    with services("roles_create") as opened:
        known = set(control.role_names(opened))
        for name in role:
            if name not in known:
                control.create_role(opened, name)
    click.echo(f"Added {len(set(role) - known)} role(s)")


@command("delete")
@click.argument("role", nargs=-1, required=True)
def delete(role: tuple[str, ...]) -> None:
    """Delete ROLE…; their users lose them."""
    from ..control import roles as control

    with services("roles_delete") as opened:
        for name in role:  # all are looked at before any is deleted
            control.get_role(opened, name)
        for name in role:
            control.delete_role(opened, name)
    click.echo(f"Deleted {len(role)} role(s)")


@command("add-perms")
@click.argument("role", nargs=-1, required=True)
@click.option("-a", "--action", multiple=True, required=True, help=_ACTION)
@click.option("-r", "--resource", multiple=True, required=True, help=_RESOURCE)
def add_perms(role: tuple[str, ...], action: tuple[str, ...], resource: tuple[str, ...]) -> None:
    """Let ROLE… do each ACTION on each RESOURCE."""
    from ..control import roles as control

    wanted = [(one, what) for what in resource for one in action]
    with services("roles_add_perms") as opened:
        count = sum(control.add_permissions(opened, name, wanted) for name in role)
    click.echo(f"Added {count} permission(s)")


@command("del-perms")
@click.argument("role", nargs=-1, required=True)
@click.option("-a", "--action", multiple=True, help=f"{_ACTION} Default: all.")
@click.option("-r", "--resource", multiple=True, required=True, help=_RESOURCE)
def del_perms(role: tuple[str, ...], action: tuple[str, ...], resource: tuple[str, ...]) -> None:
    """Let ROLE… no longer do each ACTION on each RESOURCE."""
    from ..control import roles as control

    count = 0
    with services("roles_del_perms") as opened:
        for name in role:
            had = control.get_role(opened, name).permissions
            wanted = [
                (one, what) for one, what in had if what in resource and one in (action or (one,))
            ]
            count += control.remove_permissions(opened, name, wanted)
    click.echo(f"Deleted {count} permission(s)")


@command("export")
@click.argument("file")
@click.option("-p", "--pretty", is_flag=True, help="One value a line.")
def export(file: str, pretty: bool) -> None:
    """Write all roles with their permissions to FILE as JSON; ``-`` is stdout."""
    from ..control import roles as control
    from ..control.exchange_files import write_text

    with services() as opened:
        rows = control.export_roles(opened)
        count = len(control.role_names(opened))
    write_text(file, json.dumps(rows, indent=4 if pretty else None) + "\n")
    if file != "-":
        click.echo(f"{count} roles successfully exported to {file}")


@command("import")
@click.argument("file")
def import_(file: str) -> None:
    """Create the roles of FILE, and add their permissions."""
    from ..control import roles as control
    from ..control.exchange_files import read_json

    with services("roles_import") as opened:
        count = control.import_roles(opened, read_json(file))
    click.echo(f"Imported {count} role(s)")


@command("sync-perm")
@click.option("--include-dags", is_flag=True, help="Accepted: each parse does this for its DAGs.")
def sync_perm(include_dags: bool) -> None:
    """Say that built-in roles and those of DAG files are always up to date."""
    del include_dags
    with services():
        click.echo("Permissions of built-in roles and of access_control are up to date.")
