"""``users``: who may sign in to the web page."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from .command import command, output_option, services
from .lazy_group import LazyGroup
from .output import print_rows

if TYPE_CHECKING:
    from ..database.values import UserRow

users = LazyGroup(
    "users",
    {
        "list": ("users:list_", "List all users."),
        "create": ("users:create", "Create a user."),
        "delete": ("users:delete", "Delete a user."),
        "reset-password": ("users:reset_password", "Give a user a new password."),
        "add-role": ("users:add_role", "Give a user one more role."),
        "remove-role": ("users:remove_role", "Take a role from a user."),
        "import": ("users:import_", "Create and change users from a JSON file."),
        "export": ("users:export", "Write all users to a JSON file, without passwords."),
    },
    help="Users of the web page.",
)


def _row(user: UserRow) -> dict[str, Any]:
    return {
        "id": user.id,
        "username": user.username,
        "email": user.email,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "roles": list(user.roles),
    }


@command("list")
@output_option
def list_(output: str) -> None:
    """List all users."""
    with services() as opened:
        print_rows([_row(user) for user in opened.store.users.list()], output)


@command("create")
@click.option("-u", "--username", required=True)
@click.option("-f", "--firstname", required=True)
@click.option("-l", "--lastname", required=True)
@click.option("-e", "--email", required=True)
@click.option(
    "-r", "--role", required=True, help="Admin, Op, User, Viewer, Public or a role of your own."
)
@click.option("-p", "--password", help="Asked for twice where it is not given.")
@click.option("--use-random-password", is_flag=True, help="Draw one, and print it.")
@click.option("--without-password", is_flag=True, help="For a login by proxy or OpenID Connect.")
def create(
    username: str,
    firstname: str,
    lastname: str,
    email: str,
    role: str,
    password: str | None,
    use_random_password: bool,
    without_password: bool,
) -> None:
    """Create a user; an existing name is no error and changes nothing."""
    from ..control import users as control
    from ..control.roles import check_roles

    with services("users_create") as opened:
        check_roles(opened, [role])
        if control.find_user(opened, username=username) is not None:
            click.echo(f"{username} already exist in the db")
            return
        chosen, is_drawn = None, False
        if not without_password:
            chosen, is_drawn = _password(password, use_random_password)
        control.create_user(
            opened,
            username=username,
            first_name=firstname,
            last_name=lastname,
            email=email,
            roles=[role],
            password=chosen,
        )
    click.echo(f'User "{username}" created with role "{role}"')
    if is_drawn:
        click.echo(f"Password: {chosen}")


@command("delete")
@click.option("-u", "--username")
@click.option("-e", "--email")
def delete(username: str | None, email: str | None) -> None:
    """Delete a user, named by name or e-mail."""
    from ..control import users as control

    with services("users_delete") as opened:
        name = control.delete_user(opened, username=username, email=email)
    click.echo(f'User "{name}" deleted')


@command("reset-password")
@click.option("-u", "--username")
@click.option("-e", "--email")
@click.option("-p", "--password", help="Asked for twice where it is not given.")
@click.option("--use-random-password", is_flag=True, help="Draw one, and print it.")
def reset_password(
    username: str | None, email: str | None, password: str | None, use_random_password: bool
) -> None:
    """Give a user a new password."""
    from ..control import users as control

    with services("users_reset_password") as opened:
        user = control.get_user(opened, username=username, email=email)
        chosen, is_drawn = _password(password, use_random_password)
        control.set_password(opened, user.username, chosen)
    click.echo(f'User "{user.username}" password reset successfully')
    if is_drawn:
        click.echo(f"Password: {chosen}")


@command("add-role")
@click.option("-u", "--username")
@click.option("-e", "--email")
@click.option("-r", "--role", required=True)
def add_role(username: str | None, email: str | None, role: str) -> None:
    """Give a user one more role."""
    from ..control import users as control

    with services("users_add_role") as opened:
        user = control.get_user(opened, username=username, email=email)
        control.add_role(opened, user, role)
    click.echo(f'User "{user.username}" added to role "{role}"')


@command("remove-role")
@click.option("-u", "--username")
@click.option("-e", "--email")
@click.option("-r", "--role", required=True)
def remove_role(username: str | None, email: str | None, role: str) -> None:
    """Take a role from a user."""
    from ..control import users as control

    with services("users_remove_role") as opened:
        user = control.get_user(opened, username=username, email=email)
        control.remove_role(opened, user, role)
    click.echo(f'User "{user.username}" removed from role "{role}"')


@command("export")
@click.argument("file")
def export(file: str) -> None:
    """Write all users to FILE as JSON, without passwords; ``-`` is stdout."""
    from ..control import users as control
    from ..control.exchange_files import write_text

    with services() as opened:
        rows = control.export_users(opened)
    write_text(file, json.dumps(rows, sort_keys=True, indent=4) + "\n")
    if file != "-":
        click.echo(f"{len(rows)} users successfully exported to {file}")


@command("import")
@click.argument("file")
def import_(file: str) -> None:
    """Create and change users from FILE; a new one gets a password that nobody knows."""
    from ..control import users as control
    from ..control.exchange_files import read_json

    with services("users_import") as opened:
        created, changed = control.import_users(opened, read_json(file))
    for word, names in (("Created", created), ("Updated", changed)):
        if names:
            click.echo(f"{word} the following users:\n\t{', '.join(names)}")


def _password(password: str | None, is_random: bool) -> tuple[str, bool]:
    """Return the password and whether it was drawn here, so that it has to be shown."""
    import secrets
    import sys

    if is_random:
        return secrets.token_urlsafe(12), True
    if password is not None:
        return password, False
    if not sys.stdin.isatty():
        raise click.ClickException(
            "Say --password or --use-random-password: there is no terminal to ask at."
        )
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)), False
