"""Writes events of assets, and queues them for the DAGs that wait: inside any transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select

from .asset_references import find_asset_id, insert_asset, is_named_by
from .tables import asset, asset_alias_link, asset_event, asset_queue, asset_reference, dag

_LINK = insert(asset_alias_link)

_LINKED = select(asset_alias_link.c.alias).where(
    asset_alias_link.c.alias == bindparam("alias"),
    asset_alias_link.c.asset_id == bindparam("asset_id"),
)

#: DAGs in force whose schedule names the asset, by itself, by a reference, or by an alias.
_CONSUMERS = (
    select(dag.c.dag_id, dag.c.is_paused)
    .join(asset_reference, asset_reference.c.dag_id == dag.c.dag_id)
    .join(asset, asset.c.id == bindparam("asset_id"))
    .where(
        asset_reference.c.kind == "schedule",
        dag.c.is_active.is_(True),
        is_named_by(),
    )
    .distinct()
)

_INSERT_EVENT = insert(asset_event).returning(asset_event.c.id)
_QUEUE = insert(asset_queue)


@dataclass(frozen=True, slots=True)
class NewAssetEvent:
    """An event to be written. ``name`` or ``uri`` may be missing: a reference."""

    name: str | None
    uri: str | None
    group: str = "asset"
    extra: Mapping[str, Any] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    source_dag_id: str | None = None
    source_run_id: str | None = None
    source_task_id: str | None = None
    source_map_index: int | None = None


def write_asset_events(
    connection: Connection, events: Iterable[NewAssetEvent], now: datetime
) -> list[int]:
    """Write events, and queue each for every DAG in force that waits for its asset.

    A reference to an asset that nobody defines makes no event.

    Returns:
        The numbers of the events.
    """
    numbers: list[int] = []
    consumers: dict[int, list[Any]] = {}
    for event in events:
        asset_id = _asset_id(connection, event, now)
        if asset_id is None:
            continue
        if _link(connection, asset_id, event.aliases) or asset_id not in consumers:
            consumers[asset_id] = list(connection.execute(_CONSUMERS, {"asset_id": asset_id}).all())
        number = connection.execute(
            _INSERT_EVENT,
            {
                "asset_id": asset_id,
                "at": now,
                "extra": dict(event.extra),
                "aliases": list(event.aliases) or None,
                "source_dag_id": event.source_dag_id,
                "source_run_id": event.source_run_id,
                "source_task_id": event.source_task_id,
                "source_map_index": event.source_map_index,
            },
        ).scalar_one()
        numbers.append(number)
        if consumers[asset_id]:
            connection.execute(
                _QUEUE,
                [
                    {"dag_id": row.dag_id, "event_id": number, "is_counted": not row.is_paused}
                    for row in consumers[asset_id]
                ],
            )
    return numbers


def _asset_id(connection: Connection, event: NewAssetEvent, now: datetime) -> int | None:
    found = find_asset_id(connection, event.name, event.uri)
    if found is not None or not (event.name and event.uri):
        return found
    return insert_asset(connection, event.name, event.uri, event.group, None, now)


def _link(connection: Connection, asset_id: int, aliases: Iterable[str]) -> bool:
    """Add the asset to aliases; True if one did not have it before."""
    is_new = False
    for alias in aliases:
        about = {"alias": alias, "asset_id": asset_id}
        if connection.execute(_LINKED, about).first() is None:
            connection.execute(_LINK, about)
            is_new = True
    return is_new
