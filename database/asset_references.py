"""Who names which asset: written with each new DAG version, read where an event is made."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    delete,
    exists,
    insert,
    or_,
    select,
    update,
)

from ..planning.plan_asset_runs import leaves
from ..sdk.serialized import SerializedAsset, SerializedDag
from .tables import (
    asset,
    asset_alias_link,
    asset_event,
    asset_queue,
    asset_reference,
    dag,
)

_KEY = ("dag_id", "kind", "task_id", "form", "name", "uri")


def is_named_by(reference: Any = asset_reference) -> ColumnElement[bool]:
    """Return the condition that a row of ``asset_reference`` names a row of ``asset``."""
    is_linked = exists(
        select(asset_alias_link.c.alias).where(
            asset_alias_link.c.alias == reference.c.name,
            asset_alias_link.c.asset_id == asset.c.id,
        )
    )
    return or_(
        and_(
            reference.c.form == "asset",
            reference.c.name == asset.c.name,
            reference.c.uri == asset.c.uri,
        ),
        and_(reference.c.form == "name", reference.c.name == asset.c.name),
        and_(reference.c.form == "uri", reference.c.uri == asset.c.uri),
        and_(reference.c.form == "alias", is_linked),
    )


def is_defined() -> ColumnElement[bool]:
    """Return the condition that a DAG in force defines a row of ``asset`` (by name and URI)."""
    return exists(
        select(asset_reference.c.dag_id)
        .join(dag, dag.c.dag_id == asset_reference.c.dag_id)
        .where(
            asset_reference.c.form == "asset",
            asset_reference.c.name == asset.c.name,
            asset_reference.c.uri == asset.c.uri,
            dag.c.is_active.is_(True),
        )
    )


def write_references(
    connection: Connection, serialized: SerializedDag, now: datetime, *, is_new: bool = False
) -> None:
    """Keep what a DAG's newest version names, make its assets known, drop events it left.

    Args:
        is_new: the DAG was just made: nothing of it is there that could go.
    """
    rows = _references(serialized)
    dag_id = serialized.dag_id
    if not is_new:
        connection.execute(delete(asset_reference).where(asset_reference.c.dag_id == dag_id))
    if rows:
        connection.execute(insert(asset_reference), rows)
        for one in _assets(serialized):
            if one.name and one.uri and not one.is_alias:
                known = find_asset_id(connection, one.name, one.uri)
                if known is None:
                    insert_asset(connection, one.name, one.uri, one.group, one.extra, now)
                elif one.extra:  # a schedule names the asset without it
                    connection.execute(
                        update(asset)
                        .where(asset.c.id == known)
                        .values(asset_group=one.group, extra=one.extra)
                    )
    if not is_new:
        _drop_left_events(connection, dag_id)


def find_asset_id(connection: Connection, name: str | None, uri: str | None) -> int | None:
    """Return the number of an asset; by name or URI alone, of one that a DAG in force defines."""
    statement = select(asset.c.id)
    if name:
        statement = statement.where(asset.c.name == name)
    if uri:
        statement = statement.where(asset.c.uri == uri)
    if not (name and uri):
        statement = statement.order_by(is_defined().desc(), asset.c.id).limit(1)
    found: int | None = connection.execute(statement).scalar()
    return found


def insert_asset(
    connection: Connection, name: str, uri: str, group: str, extra: Any, now: datetime
) -> int:
    """Make an asset known; return its number."""
    number: int = connection.execute(
        insert(asset).returning(asset.c.id),
        {
            "name": name,
            "uri": uri,
            "asset_group": group or "asset",
            "extra": extra or None,
            "created_at": now,
        },
    ).scalar_one()
    return number


def _references(serialized: SerializedDag) -> list[dict[str, Any]]:
    found: dict[tuple[Any, ...], dict[str, Any]] = {}

    def note(kind: str, task_id: str, form: str, name: str, uri: str) -> None:
        key = (serialized.dag_id, kind, task_id, form, name, uri)
        found[key] = dict(zip(_KEY, key, strict=True))

    if serialized.asset_expression is not None:
        for one in _scheduled_on(serialized):
            note("schedule", "", _form(one), one.name, one.uri)
    for task in serialized.tasks:
        for kind, named in (("inlet", task.inlets), ("outlet", task.outlets)):
            for one in named:
                note(kind, task.task_id, _form(one), one.name, one.uri)
    return list(found.values())


def _scheduled_on(serialized: SerializedDag) -> Iterable[SerializedAsset]:
    for leaf in leaves(serialized.asset_expression or {}):
        if "asset" in leaf:
            about = leaf["asset"]
            yield SerializedAsset(about["name"], about["uri"], about.get("group") or "asset")
        elif "alias" in leaf:
            yield SerializedAsset(leaf["alias"]["name"], "", is_alias=True)
        elif "asset_ref" in leaf:
            reference = leaf["asset_ref"]
            yield SerializedAsset(reference.get("name", ""), reference.get("uri", ""))


def _assets(serialized: SerializedDag) -> Iterable[SerializedAsset]:
    """Yield every asset; those of tasks last, because only they carry an extra."""
    yield from _scheduled_on(serialized)
    for task in serialized.tasks:
        yield from task.inlets
        yield from task.outlets


def _form(one: SerializedAsset) -> str:
    if one.is_alias:
        return "alias"
    return "asset" if one.name and one.uri else "name" if one.name else "uri"


def _drop_left_events(connection: Connection, dag_id: str) -> None:
    """Remove queued events of assets that the DAG's schedule does not name any more."""
    waiting = connection.execute(
        select(asset_queue.c.event_id).where(asset_queue.c.dag_id == dag_id).limit(1)
    ).first()
    if waiting is None:
        return
    named = (
        select(asset_event.c.id)
        .join(asset, asset.c.id == asset_event.c.asset_id)
        .join(
            asset_reference,
            and_(
                asset_reference.c.dag_id == dag_id,
                asset_reference.c.kind == "schedule",
                is_named_by(),
            ),
        )
    )
    connection.execute(
        delete(asset_queue).where(
            asset_queue.c.dag_id == dag_id, asset_queue.c.event_id.not_in(named)
        )
    )
