"""Pages of assets and their events, and which events wait, for the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, delete, func, select

from .asset_references import is_defined, is_named_by
from .asset_rows import AssetEventRow, AssetReferenceRow, AssetRow
from .assets import _EVENTS as ASSET_EVENTS
from .assets import _aliases as find_aliases
from .assets import _assets as asset_statement
from .assets import _event_row as asset_event_row
from .event_writes import Event, write_events
from .listings import Listed, Where, conditioned, read_page
from .operations import Operations
from .pages import pages
from .run_rows import run_row
from .tables import (
    asset,
    asset_consumption,
    asset_event,
    asset_queue,
    asset_reference,
    dag,
    dag_run,
)
from .values import RunRow

ASSET_FIELDS: Mapping[str, Any] = {
    "id": asset.c.id,
    "name": asset.c.name,
    "uri": asset.c.uri,
    "group": asset.c.asset_group,
    "created_at": asset.c.created_at,
    "updated_at": asset.c.created_at,
    "is_active": is_defined(),
}
EVENT_FIELDS: Mapping[str, Any] = {
    "id": asset_event.c.id,
    "asset_id": asset_event.c.asset_id,
    "dataset_id": asset_event.c.asset_id,
    "name": asset.c.name,
    "uri": asset.c.uri,
    "timestamp": asset_event.c.at,
    "source_dag_id": asset_event.c.source_dag_id,
    "source_task_id": asset_event.c.source_task_id,
    "source_run_id": asset_event.c.source_run_id,
    "source_map_index": asset_event.c.source_map_index,
}


@dataclass(frozen=True, slots=True)
class QueuedAssetRow:
    """Events of one asset wait for a run of one DAG; ``created_at``: the first of them."""

    dag_id: str
    dag_display_name: str
    asset_id: int
    uri: str
    created_at: datetime


class AssetListingOperations(Operations):
    """``store.asset_listings``: each read is one transaction, and has a limit."""

    def assets(
        self,
        where: Sequence[Where],
        order: Sequence[str],
        limit: int,
        offset: int,
        *,
        dag_ids: Sequence[str] = (),
    ) -> Listed[AssetRow]:
        """Return assets, with *dag_ids* only those that these DAGs name.

        Raises:
            UnknownField: they cannot be ordered so.
        """
        statement = conditioned(asset_statement(), ASSET_FIELDS, where)
        if dag_ids:
            naming = select(asset_reference.c.dag_id).where(
                asset_reference.c.dag_id.in_(list(dag_ids)), is_named_by()
            )
            statement = statement.where(naming.correlate(asset).exists())
        with self._database.read() as connection:
            rows, total = read_page(
                connection, statement, ASSET_FIELDS, order, asset.c.id, limit, offset
            )
        return Listed([AssetRow(**row._mapping) for row in rows], total)

    def events(
        self, where: Sequence[Where], order: Sequence[str], limit: int, offset: int
    ) -> Listed[AssetEventRow]:
        """Return events.

        Raises:
            UnknownField: they cannot be ordered so.
        """
        statement = conditioned(ASSET_EVENTS, EVENT_FIELDS, where)
        with self._database.read() as connection:
            rows, total = read_page(
                connection, statement, EVENT_FIELDS, order, asset_event.c.id, limit, offset
            )
        return Listed([asset_event_row(row) for row in rows], total)

    def references(self, asset_ids: Sequence[int]) -> dict[int, list[AssetReferenceRow]]:
        """Return asset → who names it: schedules, inlets and outlets of DAGs in force."""
        found: dict[int, list[AssetReferenceRow]] = {}
        statement = (
            select(
                asset.c.id,
                asset_reference.c.dag_id,
                asset_reference.c.kind,
                asset_reference.c.task_id,
            )
            .select_from(asset)
            .join(asset_reference, is_named_by())
            .join(dag, dag.c.dag_id == asset_reference.c.dag_id)
            .where(dag.c.is_active.is_(True))
            .distinct()
            .order_by(asset_reference.c.dag_id, asset_reference.c.kind, asset_reference.c.task_id)
        )
        with self._database.read() as connection:
            for some in pages(asset_ids):
                for row in connection.execute(statement.where(asset.c.id.in_(some))):
                    found.setdefault(row.id, []).append(
                        AssetReferenceRow(row.dag_id, row.kind, row.task_id)
                    )
        return found

    def aliases(self, asset_ids: Sequence[int]) -> dict[int, set[str]]:
        """Return asset → the aliases that it was added to."""
        with self._database.read() as connection:
            return find_aliases(connection, asset_ids)

    def last_events(self, asset_ids: Sequence[int]) -> dict[int, tuple[int, datetime]]:
        """Return asset → number and time of its newest event."""
        newest = (
            select(func.max(asset_event.c.id).label("id"))
            .group_by(asset_event.c.asset_id)
            .where(asset_event.c.asset_id.in_(list(asset_ids)))
            .subquery()
        )
        statement = select(asset_event.c.asset_id, asset_event.c.id, asset_event.c.at).join(
            newest, newest.c.id == asset_event.c.id
        )
        with self._database.read() as connection:
            return {row[0]: (row[1], row[2]) for row in connection.execute(statement)}

    def runs_made(self, event_ids: Sequence[int]) -> dict[int, list[RunRow]]:
        """Return event → the runs that it went into."""
        found: dict[int, list[RunRow]] = {}
        statement = (
            select(dag_run, asset_consumption.c.event_id)
            .join(asset_consumption, asset_consumption.c.dag_run_id == dag_run.c.id)
            .order_by(dag_run.c.id)
        )
        with self._database.read() as connection:
            for some in pages(event_ids):
                chosen = statement.where(asset_consumption.c.event_id.in_(some))
                for row in connection.execute(chosen):
                    found.setdefault(row.event_id, []).append(run_row(row))
        return found

    def queued(
        self,
        *,
        dag_id: str | None = None,
        asset_ids: Sequence[int] | None = None,
        before: datetime | None = None,
    ) -> list[QueuedAssetRow]:
        """Return what waits for runs, by DAG and asset.

        Args:
            before: only events before this instant.
        """
        statement = _queued(
            select(
                asset_queue.c.dag_id,
                dag.c.dag_display_name,
                asset_event.c.asset_id,
                asset.c.uri,
                func.min(asset_event.c.at, type_=asset_event.c.at.type),
            ),
            dag_id,
            asset_ids,
            before,
        )
        columns = (
            asset_queue.c.dag_id,
            dag.c.dag_display_name,
            asset_event.c.asset_id,
            asset.c.uri,
        )
        statement = statement.group_by(*columns).order_by(asset_queue.c.dag_id, asset.c.uri)
        with self._database.read() as connection:
            return [QueuedAssetRow(*row) for row in connection.execute(statement).all()]

    def drop_queued(
        self,
        now: datetime,
        actor: str,
        *,
        dag_id: str | None = None,
        asset_ids: Sequence[int] | None = None,
        before: datetime | None = None,
    ) -> int:
        """Let events wait no more for runs; return how many did."""
        statement = _queued(
            select(asset_queue.c.dag_id, asset_queue.c.event_id), dag_id, asset_ids, before
        )
        with self._database.write() as connection:
            waiting = connection.execute(statement).all()
            for of_dag in sorted({row.dag_id for row in waiting}):
                numbers = [row.event_id for row in waiting if row.dag_id == of_dag]
                for some in pages(numbers):
                    connection.execute(
                        delete(asset_queue).where(
                            asset_queue.c.dag_id == of_dag, asset_queue.c.event_id.in_(some)
                        )
                    )
                detail = {"events": len(numbers)}
                event = Event("asset.events_dropped", actor, of_dag, detail=detail)
                write_events(connection, [event], now)
        return len(waiting)


def _queued(
    statement: Select[Any],
    dag_id: str | None,
    asset_ids: Sequence[int] | None,
    before: datetime | None,
) -> Select[Any]:
    statement = (
        statement.select_from(asset_queue)
        .join(asset_event, asset_event.c.id == asset_queue.c.event_id)
        .join(asset, asset.c.id == asset_event.c.asset_id)
        .join(dag, dag.c.dag_id == asset_queue.c.dag_id)
    )
    conditions = []
    if dag_id is not None:
        conditions.append(asset_queue.c.dag_id == dag_id)
    if asset_ids is not None:
        conditions.append(asset_event.c.asset_id.in_(list(asset_ids)))
    if before is not None:
        conditions.append(asset_event.c.at < before)
    return statement.where(and_(True, *conditions))
