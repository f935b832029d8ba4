"""Assets: their events, the runs that these make, and who names what."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Select,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
)

from ..planning.plan_asset_runs import (
    PlannedAssetRun,
    QueuedEvent,
    is_met,
    later,
    plan_asset_run,
)
from ..sdk.serialized import SerializedDag
from .asset_references import find_asset_id, is_defined, is_named_by
from .asset_rows import AssetEventRow, AssetReferenceRow, AssetRow
from .asset_writes import NewAssetEvent, write_asset_events
from .caller import check_event
from .dag_plans import ACTIVE_RUNS
from .dag_runs import find_existing, insert_run
from .errors import NotFound
from .event_writes import Event, write_events
from .new_runs import new_run
from .operations import Operations
from .pages import pages
from .tables import (
    asset,
    asset_alias_link,
    asset_consumption,
    asset_event,
    asset_queue,
    asset_reference,
    dag,
    dag_run,
)

#: DAGs for which events wait that may make a run now.
_READY = (
    select(dag.c.dag_id)
    .where(
        exists(
            select(asset_queue.c.event_id).where(
                asset_queue.c.dag_id == dag.c.dag_id, asset_queue.c.is_counted.is_(True)
            )
        ),
        dag.c.is_active.is_(True),
        dag.c.is_paused.is_(False),
        dag.c.max_active_runs > ACTIVE_RUNS,
    )
    .order_by(dag.c.dag_id)
)
_READY_VERSION = _READY.with_only_columns(dag.c.version_id).where(
    dag.c.dag_id == bindparam("dag_id")
)
_ALIASES = select(asset_alias_link.c.asset_id, asset_alias_link.c.alias).where(
    asset_alias_link.c.asset_id.in_(bindparam("asset_ids", expanding=True))
)

_ANY_QUEUED = select(asset_queue.c.event_id).limit(1)

_QUEUED = (
    select(
        asset_event.c.id,
        asset_event.c.asset_id,
        asset.c.name,
        asset.c.uri,
        asset_event.c.at,
        asset_queue.c.is_counted,
        dag_run.c.data_interval_start,
        dag_run.c.data_interval_end,
    )
    .join(asset_queue, asset_queue.c.event_id == asset_event.c.id)
    .join(asset, asset.c.id == asset_event.c.asset_id)
    .outerjoin(
        dag_run,
        and_(
            dag_run.c.dag_id == asset_event.c.source_dag_id,
            dag_run.c.run_id == asset_event.c.source_run_id,
        ),
    )
    .where(asset_queue.c.dag_id == bindparam("dag_id"))
    .order_by(asset_event.c.id)
)

_FIRST_QUEUED = select(func.min(asset_queue.c.event_id).label("id")).where(
    asset_queue.c.dag_id == bindparam("dag_id")
)

#: Assets of a schedule of which an event waits.
_COUNTED = (
    select(asset.c.id, asset.c.name, asset.c.uri, asset.c.created_at)
    .select_from(asset)
    .join(asset_reference, is_named_by())
    .where(
        asset_reference.c.dag_id == bindparam("dag_id"),
        asset_reference.c.kind == "schedule",
        exists(
            select(asset_event.c.id)
            .join(
                asset_queue,
                and_(
                    asset_queue.c.dag_id == bindparam("dag_id"),
                    asset_queue.c.event_id == asset_event.c.id,
                ),
            )
            .where(
                asset_event.c.asset_id == asset.c.id,
                asset_event.c.id >= bindparam("first_id"),
                asset_queue.c.is_counted.is_(True),
            )
            .correlate(asset)
        ),
    )
    .distinct()
)

_EVENTS = select(
    asset_event,
    asset.c.name,
    asset.c.uri,
    asset.c.asset_group,
).join(asset, asset.c.id == asset_event.c.asset_id)


class AssetOperations(Operations):
    """``store.assets``: assets (datasets) and their events."""

    def ready_dag_ids(self) -> builtins.list[str]:
        """Return DAGs for which events wait that may make a run now."""
        if not self._remembered.is_any(_ANY_QUEUED):
            return []
        with self._database.read() as connection:
            return list(connection.execute(_READY).scalars())

    def create_run(self, dag_id: str, now: datetime) -> str | None:
        """Create the run that a DAG's queued events make; return its id, None: not yet.

        Events, run and what the run consumed are one transaction: each event is consumed once.
        """
        with self._database.read() as connection:
            if self._plan(connection, dag_id) is None:
                return None  # half of a condition may wait for ever: that must not cost a write
        with self._database.write() as connection:
            found = self._plan(connection, dag_id)
            if found is None:
                return None  # paused, or made by another scheduler meanwhile
            serialized, planned = found
            new = new_run(dag_id, planned.run, triggered_by="asset")
            while find_existing(connection, new) is not None:
                planned = later(planned, serialized)
                new = new_run(dag_id, planned.run, triggered_by="asset")
            dag_run_id = insert_run(connection, self._versions, new, now)
            _consume(connection, dag_id, dag_run_id, planned.event_ids)
            detail = {"run": [dag_run_id, "", "queued", new.run_type]}
            write_events(
                connection, [Event("state", "scheduler", dag_id, new.run_id, detail=detail)], now
            )
        self._ring("web")
        return new.run_id

    def _plan(
        self, connection: Connection, dag_id: str
    ) -> tuple[SerializedDag, PlannedAssetRun] | None:
        version_id = connection.execute(_READY_VERSION, {"dag_id": dag_id}).scalar_one_or_none()
        if version_id is None:
            return None
        serialized = self._versions.get(connection, version_id).dag
        if not is_met(serialized.asset_expression or {}, _counted(connection, dag_id)):
            return None
        planned = plan_asset_run(serialized, _queued(connection, dag_id))
        return None if planned is None else (serialized, planned)

    def post_event(
        self,
        now: datetime,
        actor: str,
        *,
        name: str | None = None,
        uri: str | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> AssetEventRow:
        """Write an event that comes from outside of any task.

        Raises:
            NotFound: there is no such asset.
        """
        with self._database.write() as connection:
            event = NewAssetEvent(name, uri, extra=dict(extra or {}))
            numbers = write_asset_events(connection, [event], now)
            if not numbers:
                raise NotFound(f"There is no asset {name or uri!r}.")
            waiting = select(asset_queue.c.dag_id).where(asset_queue.c.event_id == numbers[0])
            for dag_id in connection.execute(waiting).scalars():
                check_event(Event("asset.event", actor, dag_id))  # its runs would start by it
            detail = {"name": name, "uri": uri, "event_id": numbers[0]}
            write_events(connection, [Event("asset.event", actor, detail=detail)], now)
            found = connection.execute(_EVENTS.where(asset_event.c.id == numbers[0])).one()
        self._ring("scheduler", "web")
        return _event_row(found)

    def list(
        self, *, pattern: str | None = None, is_active: bool | None = True, limit: int = 1000
    ) -> builtins.list[AssetRow]:
        """Return assets by name.

        Args:
            pattern: part of name or URI, letter case ignored.
            is_active: True: only those that a DAG in force names; None: all.
        """
        statement = _assets().order_by(asset.c.name, asset.c.uri).limit(limit)
        if pattern:
            statement = statement.where(
                or_(
                    asset.c.name.icontains(pattern, autoescape=True),
                    asset.c.uri.icontains(pattern, autoescape=True),
                )
            )
        if is_active is not None:
            statement = statement.where(is_defined() if is_active else ~is_defined())
        with self._database.read() as connection:
            return [AssetRow(**row._mapping) for row in connection.execute(statement).all()]

    def made_after(self, asset_id: int, limit: int) -> builtins.list[AssetRow]:
        """Return assets that became known later than one, in that order (0: than none)."""
        statement = _assets().where(asset.c.id > asset_id).order_by(asset.c.id).limit(limit)
        with self._database.read() as connection:
            return [AssetRow(**row._mapping) for row in connection.execute(statement).all()]

    def newest_id(self) -> int:
        """Return the number of the asset that became known last, 0 where there is none."""
        with self._database.read() as connection:
            return int(connection.execute(select(func.max(asset.c.id))).scalar() or 0)

    def find(self, *, name: str | None = None, uri: str | None = None) -> AssetRow | None:
        """Return one asset by name, URI or both; of several the one that a DAG in force names."""
        with self._database.read() as connection:
            number = find_asset_id(connection, name, uri)
            if number is None:
                return None
            row = connection.execute(_assets().where(asset.c.id == number)).one()
        return AssetRow(**row._mapping)

    def aliases(self) -> dict[str, builtins.list[str]]:
        """Return alias → names of the assets that were added to it."""
        found: dict[str, builtins.list[str]] = {}
        named = select(asset_reference.c.name).where(asset_reference.c.form == "alias").distinct()
        linked = (
            select(asset_alias_link.c.alias, asset.c.name)
            .join(asset, asset.c.id == asset_alias_link.c.asset_id)
            .order_by(asset_alias_link.c.alias, asset.c.name)
        )
        with self._database.read() as connection:
            for alias in connection.execute(named.order_by(asset_reference.c.name)).scalars():
                found[alias] = []
            for alias, name in connection.execute(linked):
                found.setdefault(alias, []).append(name)
        return found

    def references(self, asset_id: int) -> builtins.list[AssetReferenceRow]:
        """Return who names an asset: schedules, inlets and outlets of DAGs in force."""
        statement = (
            select(asset_reference.c.dag_id, asset_reference.c.kind, asset_reference.c.task_id)
            .join(dag, dag.c.dag_id == asset_reference.c.dag_id)
            .join(asset, asset.c.id == asset_id)
            .where(is_named_by(), dag.c.is_active.is_(True))
            .distinct()
            .order_by(asset_reference.c.dag_id, asset_reference.c.kind, asset_reference.c.task_id)
        )
        with self._database.read() as connection:
            return [AssetReferenceRow(*row) for row in connection.execute(statement).all()]

    def inactive(self, named: Sequence[tuple[str, str]]) -> builtins.list[tuple[str, str]]:
        """Return those of these assets (name, URI) whose name or URI belongs to another now.

        It belongs to the asset that a DAG in force names; where several are named, to the one
        that was known first. What is not known yet will be, when its file has been parsed.
        """
        with self._database.read() as connection:
            return [one for one in named if _is_inactive(connection, *one)]

    def events(
        self,
        *,
        name: str | None = None,
        uri: str | None = None,
        alias: str | None = None,
        asset_id: int | None = None,
        source_dag_id: str | None = None,
        source_run_id: str | None = None,
        after: datetime | None = None,
        before: datetime | None = None,
        after_id: int | None = None,
        is_ascending: bool = True,
        limit: int = 1000,
        offset: int = 0,
    ) -> builtins.list[AssetEventRow]:
        """Return events in order of their numbers.

        Args:
            alias: only those that were made through it.
            after: *before*: bounds of their time, inclusive.
            after_id: only those that were written later than this one.
        """
        wanted: builtins.list[Any] = []
        if name is not None:
            wanted.append(asset.c.name == name)
        if uri is not None:
            wanted.append(asset.c.uri == uri)
        if asset_id is not None:
            wanted.append(asset_event.c.asset_id == asset_id)
        if source_dag_id is not None:
            wanted.append(asset_event.c.source_dag_id == source_dag_id)
        if source_run_id is not None:
            wanted.append(asset_event.c.source_run_id == source_run_id)
        if after is not None:
            wanted.append(asset_event.c.at >= after)
        if before is not None:
            wanted.append(asset_event.c.at <= before)
        if after_id is not None:
            wanted.append(asset_event.c.id > after_id)
        order = asset_event.c.id.asc() if is_ascending else asset_event.c.id.desc()
        statement = _EVENTS.where(*wanted).order_by(order)
        with self._database.read() as connection:
            if alias is None:
                rows = connection.execute(statement.limit(limit).offset(offset)).all()
            else:
                linked = select(asset_alias_link.c.asset_id).where(
                    asset_alias_link.c.alias == alias
                )
                rows = [
                    row
                    for row in connection.execute(
                        statement.where(asset_event.c.asset_id.in_(linked))
                    )
                    if alias in (row.aliases or ())
                ][offset : offset + limit]
        return [_event_row(row) for row in rows]

    def consumed(self, dag_id: str, run_id: str) -> builtins.list[AssetEventRow]:
        """Return the events that made a run, in order."""
        statement = (
            _EVENTS.join(asset_consumption, asset_consumption.c.event_id == asset_event.c.id)
            .join(dag_run, dag_run.c.id == asset_consumption.c.dag_run_id)
            .where(dag_run.c.dag_id == dag_id, dag_run.c.run_id == run_id)
            .order_by(asset_event.c.id)
        )
        with self._database.read() as connection:
            return [_event_row(row) for row in connection.execute(statement).all()]

    def queued(self, dag_id: str) -> builtins.list[QueuedEvent]:
        """Return the events that wait for a run of a DAG."""
        with self._database.read() as connection:
            return _queued(connection, dag_id)


def _assets() -> Select[Any]:
    last = (
        select(func.max(asset_event.c.id))
        .where(asset_event.c.asset_id == asset.c.id)
        .correlate(asset)
        .scalar_subquery()
    )
    event = asset_event.alias("last_event")
    columns = (
        asset.c.id,
        asset.c.name,
        asset.c.uri,
        asset.c.asset_group.label("group"),
        asset.c.extra,
        asset.c.created_at,
        is_defined().label("is_active"),
        event.c.at.label("last_event_at"),
    )
    return select(*columns).select_from(asset).outerjoin(event, event.c.id == last)


def _is_inactive(connection: Connection, name: str, uri: str) -> bool:
    rows = connection.execute(
        select(asset.c.id, asset.c.name, asset.c.uri, is_defined().label("is_active"))
        .where(or_(asset.c.name == name, asset.c.uri == uri))
        .order_by(asset.c.id)
    ).all()
    own = next((row for row in rows if (row.name, row.uri) == (name, uri)), None)
    owner = next((row for row in rows if row.is_active), None)
    return own is not None and owner is not None and owner.id != own.id


def _counted(connection: Connection, dag_id: str) -> list[QueuedEvent]:
    """Return one event that counts of each asset, so that half a condition stays cheap to ask.

    Where one of two assets is never updated, the events of the other wait in great numbers.
    """
    first = connection.execute(_FIRST_QUEUED, {"dag_id": dag_id}).one()
    if first.id is None:
        return []
    rows = connection.execute(_COUNTED, {"dag_id": dag_id, "first_id": first.id}).all()
    aliases = _aliases(connection, [row.id for row in rows])
    return [
        QueuedEvent(0, row.name, row.uri, row.created_at, frozenset(aliases.get(row.id, ())))
        for row in rows
    ]


def _aliases(connection: Connection, asset_ids: Sequence[int]) -> dict[int, set[str]]:
    """Return asset → the aliases that it was added to."""
    found: dict[int, set[str]] = {}
    for some in pages(asset_ids):
        for asset_id, alias in connection.execute(_ALIASES, {"asset_ids": some}):
            found.setdefault(asset_id, set()).add(alias)
    return found


def _queued(connection: Connection, dag_id: str) -> list[QueuedEvent]:
    rows = connection.execute(_QUEUED, {"dag_id": dag_id}).all()
    aliases = _aliases(connection, sorted({row.asset_id for row in rows}))
    return [
        QueuedEvent(
            id=row.id,
            name=row.name,
            uri=row.uri,
            at=row.at,
            aliases=frozenset(aliases.get(row.asset_id, ())),
            is_counted=row.is_counted,
            source_interval_start=row.data_interval_start,
            source_interval_end=row.data_interval_end,
        )
        for row in rows
    ]


def _consume(
    connection: Connection, dag_id: str, dag_run_id: int, event_ids: Sequence[int]
) -> None:
    connection.execute(
        insert(asset_consumption),
        [{"dag_run_id": dag_run_id, "event_id": event_id} for event_id in event_ids],
    )
    for some in pages(event_ids):
        connection.execute(
            delete(asset_queue).where(
                asset_queue.c.dag_id == dag_id, asset_queue.c.event_id.in_(some)
            )
        )


def _event_row(row: Any) -> AssetEventRow:
    return AssetEventRow(
        id=row.id,
        asset_id=row.asset_id,
        name=row.name,
        uri=row.uri,
        group=row.asset_group,
        at=row.at,
        extra=row.extra or {},
        aliases=tuple(row.aliases or ()),
        source_dag_id=row.source_dag_id,
        source_run_id=row.source_run_id,
        source_task_id=row.source_task_id,
        source_map_index=row.source_map_index,
    )
