"""``webhooks``: addresses that start runs of one DAG, or events of one asset."""

from __future__ import annotations

import click

from .command import command, output_option, services
from .lazy_group import LazyGroup
from .output import print_rows

webhooks = LazyGroup(
    "webhooks",
    {
        "create": ("webhooks:create", "Make a webhook for a DAG or an asset."),
        "list": ("webhooks:list_", "List webhooks, without their tokens."),
        "revoke": ("webhooks:revoke", "Remove a webhook."),
    },
    help="Webhooks: let systems outside start runs, or say that an asset was updated.",
)


@command("create")
@click.argument("name")
@click.option("--dag-id", help="Each call starts a run of this DAG.")
@click.option("--asset-name", help="Each call is an event of this asset.")
@click.option("--asset-uri", help="The asset by its URI.")
@click.option("--days", type=float, help="It lives so long. Default: until it is revoked.")
def create(
    name: str,
    dag_id: str | None,
    asset_name: str | None,
    asset_uri: str | None,
    days: float | None,
) -> None:
    """Make the webhook NAME and print its token; it cannot be shown again."""
    from ..control import webhooks as control

    with services("webhooks_create") as opened:
        token = control.create_webhook(
            opened, name, dag_id=dag_id, asset_name=asset_name, asset_uri=asset_uri, days=days
        )
    click.echo(token)
    click.echo(f"POST /hooks/{name} with the header 'Authorization: Bearer TOKEN'", err=True)


@command("list")
@output_option
def list_(output: str) -> None:
    """List webhooks by name."""
    from ..control import webhooks as control

    with services() as opened:
        rows = control.list_webhooks(opened)
    print_rows(
        [
            {
                "name": one.name,
                "dag_id": one.dag_id,
                "asset": one.asset_name,
                "created_by": one.created_by,
                "expires_at": one.expires_at,
                "last_used_at": one.last_used_at,
                "use_count": one.use_count,
            }
            for one in rows
        ],
        output,
    )


@command("revoke")
@click.argument("name")
def revoke(name: str) -> None:
    """Remove the webhook NAME."""
    from ..control import webhooks as control

    with services("webhooks_revoke") as opened:
        control.revoke_webhook(opened, name)
    click.echo(f"Webhook {name} revoked")
