"""Webhooks: made and revoked here, called at ``/hooks/NAME``. Ours, in version 2 only."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from flask import g, url_for
from msgspec import Meta, Struct

from ....control import webhooks
from ....control.access import Access, AccessDenied
from ..bodies import Body, Name
from ..call import Call
from ..operation import Face, operation

Days = Annotated[float, Meta(gt=0, le=webhooks.DAYS_MAX)]


class WebhookBody(Body, kw_only=True):
    """A new webhook, for one DAG or one asset."""

    name: Name
    dag_id: Name | None = None
    asset_name: Annotated[str, Meta(min_length=1, max_length=1500)] | None = None
    asset_uri: Annotated[str, Meta(min_length=1, max_length=1500)] | None = None
    days: Days | None = None


class Webhook(Struct):
    """A webhook, without its token."""

    name: str
    dag_id: str | None
    asset_name: str | None
    asset_uri: str | None
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    use_count: int


class NewWebhook(Struct):
    """A new webhook: ``token`` is shown this once."""

    name: str
    url: str
    token: str


class WebhookCollection(Struct):
    """Webhooks."""

    webhooks: list[Webhook]
    total_entries: int


@operation(
    "GET", "edit", v2=Face("get_webhooks", "/webhooks", answer=WebhookCollection, tag="Webhook")
)
def get_webhooks(call: Call) -> WebhookCollection:
    """List webhooks of DAGs that you may see, and of assets."""
    rows = [
        Webhook(
            name=one.name,
            dag_id=one.dag_id,
            asset_name=one.asset_name,
            asset_uri=one.asset_uri,
            created_by=one.created_by,
            created_at=one.created_at,
            expires_at=one.expires_at,
            last_used_at=one.last_used_at,
            use_count=one.use_count,
        )
        for one in webhooks.list_webhooks(call.services)
    ]
    return WebhookCollection(webhooks=rows, total_entries=len(rows))


@operation(
    "POST",
    "edit",
    v2=Face(
        "post_webhook",
        "/webhooks",
        body=WebhookBody,
        answer=NewWebhook,
        status=201,
        errors=(400, 404, 409),
        tag="Webhook",
    ),
)
def post_webhook(call: Call) -> NewWebhook:
    """Make a webhook."""
    body = call.body
    check_may_hook(body.dag_id)
    token = webhooks.create_webhook(
        call.services,
        body.name,
        dag_id=body.dag_id,
        asset_name=body.asset_name,
        asset_uri=body.asset_uri,
        days=body.days,
    )
    return NewWebhook(name=body.name, url=url_for("hooks.call", name=body.name), token=token)


@operation(
    "DELETE",
    "edit",
    v2=Face("delete_webhook", "/webhooks/{webhook_name}", status=204, errors=(404,), tag="Webhook"),
)
def delete_webhook(call: Call) -> None:
    """Revoke a webhook."""
    name = str(call.path["webhook_name"])
    check_may_hook(call.store.webhooks.get(name).dag_id)
    webhooks.revoke_webhook(call.services, name)


def check_may_hook(dag_id: str | None) -> None:
    """Refuse who may not themselves do what the webhook is to do.

    Raises:
        AccessDenied: they may not.
    """
    access: Access = g.access
    if not access.may_hook(dag_id):
        raise AccessDenied("A webhook can be made only by those who may do what it does.")
