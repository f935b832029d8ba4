"""``tokens``: personal access tokens, for scripts."""

from __future__ import annotations

import click

from .command import command, output_option, services
from .lazy_group import LazyGroup
from .output import print_rows

tokens = LazyGroup(
    "tokens",
    {
        "create": ("tokens:create", "Make a token for a user."),
        "list": ("tokens:list_", "List tokens, without what they are known by."),
        "revoke": ("tokens:revoke", "End a token."),
    },
    help="Personal access tokens: they stand for a user towards the API.",
)


@command("create")
@click.option("-u", "--username", required=True, help="Whose token it is.")
@click.option("-n", "--name", required=True, help="What it is for.")
@click.option("--days", type=float, default=30, show_default=True, help="It lives so long.")
def create(username: str, name: str, days: float) -> None:
    """Make a token and print it; it cannot be shown again."""
    from ..control import access_tokens as control

    with services("tokens_create") as opened:
        _, text = control.create_token(opened, username, name, days=days)
    click.echo(text)


@command("list")
@click.option("-u", "--username", help="Only of this user.")
@output_option
def list_(username: str | None, output: str) -> None:
    """List tokens, newest first."""
    from ..control import access_tokens as control

    with services() as opened:
        rows = control.list_tokens(opened, username)
    print_rows(
        [
            {
                "id": one.id,
                "username": one.username,
                "name": one.name,
                "created_at": one.created_at,
                "expires_at": one.expires_at,
                "last_used_at": one.last_used_at,
            }
            for one in rows
        ],
        output,
    )


@command("revoke")
@click.argument("token_id", type=int)
def revoke(token_id: int) -> None:
    """End the token with the number TOKEN_ID."""
    from ..control import access_tokens as control

    with services("tokens_revoke") as opened:
        control.revoke_token(opened, token_id)
    click.echo(f"Token {token_id} revoked")
