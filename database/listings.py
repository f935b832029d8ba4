"""Filtered, ordered, counted pages of runs, task instances, DAGs and events, for the API.

A filter is a list of ``Where``: field, operator, value. The tables of fields say what can be
asked for; anything else is refused, so no name from outside ever reaches a statement.
"""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import (
    Connection,
    Select,
    exists,
    func,
    or_,
    select,
)

from ..sdk.errors import TradewindError
from .dags import _rows_statement as dag_statement
from .keyset import Cursor, SortKey, beyond, write_cursor
from .listing_fields import DAG_FIELDS, EVENT_FIELDS, INSTANCE_FIELDS, RUN_FIELDS
from .operations import Operations
from .pages import pages
from .run_rows import run_row
from .tables import (
    dag,
    dag_file,
    dag_run,
    dag_tag,
    dag_version,
    event,
    rendered_fields,
)
from .tables import task_instance as instance
from .task_instances import instance_row
from .values import DagRow, EventRow, RunRow, TaskInstanceRow
from .versions import Version

T = TypeVar("T")

#: LIKE patterns with more wildcards than this could take seconds.
WILDCARDS_MAX = 8


@dataclass(frozen=True, slots=True)
class Where:
    """One condition. ``operator``: in, not_in, gte, gt, lte, lt, part, like, prefix, all."""

    field: str
    operator: str
    value: Any


@dataclass(frozen=True, slots=True)
class Listed(Generic[T]):
    """One page, and how many there are on all pages."""

    rows: Sequence[T]
    total: int


@dataclass(frozen=True, slots=True)
class Cursored(Generic[T]):
    """One page by cursor, and the cursors of those beside it; None: there is none."""

    rows: Sequence[T]
    next_cursor: str | None
    previous_cursor: str | None


@dataclass(frozen=True, slots=True)
class InstanceRecord:
    """A task instance with what else its answer shows of its run."""

    row: TaskInstanceRow
    run_after: datetime


@dataclass(frozen=True, slots=True)
class VersionRecord:
    """One DAG version in full, with the instant that it was first seen."""

    version: Version
    created_at: datetime


_INSTANCES = select(
    instance, dag_run.c.dag_id, dag_run.c.run_id, dag_run.c.logical_date, dag_run.c.run_after
).join(dag_run, dag_run.c.id == instance.c.dag_run_id)


class UnknownField(TradewindError):
    """The listing cannot be filtered or ordered by what was named."""


class ListingOperations(Operations):
    """``store.listings``: each read is one transaction, and has a limit."""

    def runs(
        self, where: Sequence[Where], order: Sequence[str], limit: int, offset: int
    ) -> Listed[RunRow]:
        """Return runs.

        Raises:
            UnknownField: they cannot be ordered so.
        """
        statement = conditioned(select(dag_run), RUN_FIELDS, where)
        rows, total = self._page(statement, RUN_FIELDS, order, dag_run.c.id, limit, offset)
        return Listed([run_row(row) for row in rows], total)

    def runs_at(self, where: Sequence[Where], cursor: Cursor, limit: int) -> Cursored[RunRow]:
        """Return the runs beside a cursor.

        Raises:
            UnknownField: they cannot be ordered so.
        """
        statement = conditioned(select(dag_run), RUN_FIELDS, where)
        found = self._cursored(statement, RUN_FIELDS, dag_run.c.id, cursor, limit)
        return replace(found, rows=[run_row(row) for row in found.rows])

    def instances(
        self, where: Sequence[Where], order: Sequence[str], limit: int, offset: int
    ) -> Listed[InstanceRecord]:
        """Return task instances.

        Raises:
            UnknownField: they cannot be ordered so.
        """
        statement = conditioned(_INSTANCES, INSTANCE_FIELDS, where)
        own = all(getattr(INSTANCE_FIELDS[one.field], "table", None) is instance for one in where)
        # Counting a million needs no look at the run of each, where no condition is about runs.
        counted = conditioned(select(instance.c.id), INSTANCE_FIELDS, where) if own else statement
        with self._database.read() as connection:
            rows, total = read_page(
                connection,
                statement,
                INSTANCE_FIELDS,
                order,
                instance.c.id,
                limit,
                offset,
                counted=counted,
            )
        return Listed([InstanceRecord(instance_row(row), row.run_after) for row in rows], total)

    def instances_newest(self, where: Sequence[Where], limit: int) -> builtins.list[InstanceRecord]:
        """Return task instances, newest first, without counting them."""
        statement = conditioned(_INSTANCES, INSTANCE_FIELDS, where)
        statement = statement.order_by(instance.c.id.desc()).limit(limit)
        with self._database.read() as connection:
            rows = connection.execute(statement).all()
        return [InstanceRecord(instance_row(row), row.run_after) for row in rows]

    def instances_at(
        self, where: Sequence[Where], cursor: Cursor, limit: int
    ) -> Cursored[InstanceRecord]:
        """Return the task instances beside a cursor.

        Raises:
            UnknownField: they cannot be ordered so.
        """
        statement = conditioned(_INSTANCES, INSTANCE_FIELDS, where)
        found = self._cursored(statement, INSTANCE_FIELDS, instance.c.id, cursor, limit)
        rows = [InstanceRecord(instance_row(row), row.run_after) for row in found.rows]
        return replace(found, rows=rows)

    def dags(
        self, where: Sequence[Where], order: Sequence[str], limit: int, offset: int
    ) -> Listed[DagRow]:
        """Return DAGs. The field ``tags`` has the operators in (any of them) and all.

        Raises:
            UnknownField: they cannot be ordered so.
        """
        tags = [one for one in where if one.field == "tags"]
        statement = conditioned(
            dag_statement(), DAG_FIELDS, [one for one in where if one not in tags]
        )
        for one in tags:
            names = [[name] for name in one.value] if one.operator == "all" else [one.value]
            for some in names:
                of_dag = select(dag_tag.c.dag_id).where(
                    dag_tag.c.dag_id == dag.c.dag_id, dag_tag.c.name.in_(list(some))
                )
                statement = statement.where(exists(of_dag))
        rows, total = self._page(statement, DAG_FIELDS, order, dag.c.dag_id, limit, offset)
        found: dict[str, builtins.list[str]] = {}
        with self._database.read() as connection:
            named = select(dag_tag.c.dag_id, dag_tag.c.name).order_by(dag_tag.c.name)
            ids = [row.dag_id for row in rows]
            for dag_id, name in connection.execute(named.where(dag_tag.c.dag_id.in_(ids))):
                found.setdefault(dag_id, []).append(name)
        return Listed(
            [DagRow(tags=tuple(found.get(row.dag_id, ())), **row._mapping) for row in rows], total
        )

    def events(
        self, where: Sequence[Where], order: Sequence[str], limit: int, offset: int
    ) -> Listed[EventRow]:
        """Return what people did; state changes that the system made are left out.

        Raises:
            UnknownField: they cannot be ordered so.
        """
        statement = conditioned(select(event).where(event.c.kind != "state"), EVENT_FIELDS, where)
        rows, total = self._page(statement, EVENT_FIELDS, order, event.c.id, limit, offset)
        return Listed([EventRow(**row._mapping) for row in rows], total)

    def versions(self, version_ids: Sequence[int]) -> dict[int, VersionRecord]:
        """Return DAG versions by their numbers; those that are gone are left out."""
        wanted = sorted(set(version_ids))
        found: dict[int, VersionRecord] = {}
        with self._database.read() as connection:
            for some in pages(wanted):
                rows = connection.execute(
                    select(dag_version.c.id, dag_version.c.created_at).where(
                        dag_version.c.id.in_(some)
                    )
                ).all()
                for version_id, created_at in rows:
                    version = self._versions.get(connection, version_id)
                    found[version_id] = VersionRecord(version, created_at)
        return found

    def rendered(self, task_instance_ids: Sequence[int]) -> dict[int, Mapping[str, Any]]:
        """Return task instance → its rendered template fields, where some are kept."""
        found: dict[int, Mapping[str, Any]] = {}
        with self._database.read() as connection:
            for some in pages(task_instance_ids):
                rows = connection.execute(
                    select(rendered_fields.c.task_instance_id, rendered_fields.c.fields).where(
                        rendered_fields.c.task_instance_id.in_(some)
                    )
                )
                found.update({row[0]: row[1] for row in rows.all()})
        return found

    def run_counts(self, dag_ids: Sequence[str]) -> dict[str, dict[str, int]]:
        """Return DAG → state → number of its runs, for at most 500 DAGs."""
        statement = (
            select(dag_run.c.dag_id, dag_run.c.state, func.count())
            .where(dag_run.c.dag_id.in_(list(dag_ids)[:500]))
            .group_by(dag_run.c.dag_id, dag_run.c.state)
        )
        counts: dict[str, dict[str, int]] = {}
        with self._database.read() as connection:
            for dag_id, state, count in connection.execute(statement):
                counts.setdefault(dag_id, {})[state] = count
        return counts

    def file_ids(self) -> dict[str, int]:
        """Return relative path → number of each file whose last parse failed."""
        statement = select(dag_file.c.relative_path, dag_file.c.id).where(
            dag_file.c.error.is_not(None), dag_file.c.is_present.is_(True)
        )
        with self._database.read() as connection:
            return {row[0]: row[1] for row in connection.execute(statement).all()}

    def _page(
        self,
        statement: Select[Any],
        fields: Mapping[str, Any],
        order: Sequence[str],
        last: Any,
        limit: int,
        offset: int,
    ) -> tuple[Sequence[Any], int]:
        with self._database.read() as connection:
            return read_page(connection, statement, fields, order, last, limit, offset)

    def _cursored(
        self,
        statement: Select[Any],
        fields: Mapping[str, Any],
        last: Any,
        cursor: Cursor,
        limit: int,
    ) -> Cursored[Any]:
        keys = _keys(fields, cursor.order, last)
        statement = beyond(statement, keys, cursor).limit(max(limit, 1) + 1)
        for number, key in enumerate(keys):
            statement = statement.add_columns(key.column.label(f"sort_{number}"))
        with self._database.read() as connection:
            rows = connection.execute(statement).all()
        has_more, rows = len(rows) > limit, rows[:limit]
        if cursor.is_backward:
            rows = rows[::-1]

        def at(row: Any, *, is_backward: bool) -> str:
            values = [getattr(row, f"sort_{number}") for number in range(len(keys))]
            return write_cursor(Cursor(cursor.order, values, is_backward))

        is_start = cursor.values is None
        has_next = bool(rows) and (cursor.is_backward or has_more)
        has_previous = bool(rows) and (has_more if cursor.is_backward else not is_start)
        return Cursored(
            rows,
            at(rows[-1], is_backward=False) if has_next else None,
            at(rows[0], is_backward=True) if has_previous else None,
        )


def read_page(
    connection: Connection,
    statement: Select[Any],
    fields: Mapping[str, Any],
    order: Sequence[str],
    last: Any,
    limit: int,
    offset: int,
    *,
    counted: Select[Any] | None = None,
) -> tuple[Sequence[Any], int]:
    """Return one page of a statement, and how many rows it has in all.

    Args:
        fields: what it may be ordered by.
        last: decides between rows that are otherwise equal.
        counted: has as many rows and is cheaper to count; None: the statement itself.

    Raises:
        UnknownField: it cannot be ordered so.
    """
    rows = (statement if counted is None else counted).with_only_columns(last)
    count = select(func.count()).select_from(rows.subquery())
    keys = _keys(fields, order, last)
    statement = statement.order_by(*(key.ordered(is_backward=False) for key in keys))
    total = int(connection.execute(count).scalar_one())
    if limit <= 0 or offset >= total:
        return [], total
    return connection.execute(statement.limit(limit).offset(offset)).all(), total


def _keys(fields: Mapping[str, Any], order: Sequence[str], last: Any) -> list[SortKey]:
    keys = []
    for name in order:
        column = fields.get(name.removeprefix("-"))
        if column is None:
            raise UnknownField(f"There is no ordering by {name.removeprefix('-')!r}.")
        keys.append(SortKey(column, name.startswith("-")))
    return [*keys, SortKey(last, bool(keys) and keys[0].is_descending)]


def conditioned(
    statement: Select[Any], fields: Mapping[str, Any], where: Sequence[Where]
) -> Select[Any]:
    """Return a statement with the conditions that are given.

    Raises:
        UnknownField: it cannot be filtered so.
    """
    for one in where:
        if one.field not in fields:
            raise UnknownField(f"There is no filter by {one.field!r}.")
        statement = statement.where(_condition(fields[one.field], one))
    return statement


def _condition(column: Any, one: Where) -> Any:
    value = one.value
    match one.operator:
        case "in":
            return column.in_(list(value))
        case "not_in":
            return column.not_in(list(value))
        case "gte":
            return column >= value
        case "gt":
            return column > value
        case "lte":
            return column <= value
        case "lt":
            return column < value
        case "part":
            return column.icontains(value, autoescape=True)
        case "prefix":
            return column.startswith(value, autoescape=True)
        case "like":
            return or_(*(_like(column, text) for text in str(value).split("|")[:20]))
    raise UnknownField(f"There is no operator {one.operator!r}.")


def _like(column: Any, text: str) -> Any:
    """``%`` and ``_`` are wildcards, as in Airflow 3; more than some are taken as they are."""
    stripped = text.strip()
    if stripped.count("%") > WILDCARDS_MAX:
        return column.icontains(stripped, autoescape=True)
    return column.ilike(f"%{stripped}%")
