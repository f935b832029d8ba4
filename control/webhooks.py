"""Webhooks: let a system outside start runs of one DAG, or say that one asset was updated.

Each has a token of its own and can do nothing else. It belongs to the install, not to the person
who made it: it goes on when they leave, until somebody revokes it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from . import assets
from .input import InvalidInput
from .trigger import trigger_dag

if TYPE_CHECKING:
    from ..database.webhooks import WebhookRow
    from .services import Services

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")
DAYS_MAX = 3660


@dataclass(frozen=True, slots=True)
class Called:
    """What a call of a webhook did: started a run, or wrote an event."""

    dag_id: str | None = None
    run_id: str | None = None
    asset_event_id: int | None = None


def create_webhook(
    services: Services,
    name: str,
    *,
    dag_id: str | None = None,
    asset_name: str | None = None,
    asset_uri: str | None = None,
    days: float | None = None,
) -> str:
    """Make a webhook for one DAG or one asset; return its token, which cannot be shown again.

    Raises:
        InvalidInput: the name is none, or not exactly one of DAG and asset was named.
        NotFound: there is no such DAG or asset. AlreadyExists: the name is taken.
    """
    if not _NAME.fullmatch(name) or set(name) == {"."}:
        raise InvalidInput("A webhook's name has 1 to 100 letters, digits, '.', '_' and '-'")
    if (dag_id is None) == (asset_name is None and asset_uri is None):
        raise InvalidInput("A webhook is for one DAG or for one asset: name one of them")
    if days is not None and not 0 < days <= DAYS_MAX:
        raise InvalidInput(f"A webhook lives for more than 0 and at most {DAYS_MAX} days")
    asset = None
    if dag_id is not None:
        services.store.dags.get(dag_id)
    else:
        found = assets.find_asset(services, name=asset_name, uri=asset_uri)
        asset = (found.name, found.uri)
    now = services.now()
    return services.store.webhooks.create(
        name,
        dag_id=dag_id,
        asset=asset,
        created_by=services.user_name,
        expires_at=None if days is None else now + timedelta(days=days),
        now=now,
        actor=services.actor,
    )


def list_webhooks(services: Services) -> list[WebhookRow]:
    """Return all webhooks by name."""
    return services.store.webhooks.list()


def revoke_webhook(services: Services, name: str) -> None:
    """Remove a webhook.

    Raises:
        NotFound: there is none.
    """
    services.store.webhooks.revoke(name, now=services.now(), actor=services.actor)


def find_webhook(services: Services, name: str, token: str) -> WebhookRow | None:
    """Return the webhook of this name whose token this is, else None; the use is counted."""
    return services.store.webhooks.find(name, token, now=services.now())


def call_webhook(services: Services, hook: WebhookRow, given: Mapping[str, Any]) -> Called:
    """Do what a webhook is for.

    Args:
        given: becomes the run's conf, or the event's extra.

    Raises:
        DagInactive: its file is gone. InvalidInput: the DAG does not take this conf.
    """
    acting = replace(services, actor=f"webhook:{hook.name}")
    if hook.dag_id is not None:
        run = trigger_dag(acting, hook.dag_id, conf=given, triggered_by="rest_api")
        return Called(dag_id=run.dag_id, run_id=run.run_id)
    event = assets.post_event(acting, name=hook.asset_name, uri=hook.asset_uri, extra=given)
    return Called(asset_event_id=event.id)
