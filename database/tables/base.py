"""What all tables share: naming of constraints, instants, JSON and ids."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import BigInteger, DateTime, Index, Integer, MetaData, Text, text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: In ``Index.info``: the condition of a partial index, as PostgreSQL spells it.
_ON_POSTGRESQL = "where on PostgreSQL"


def partial_index(
    name: str, *columns: str, where: str, where_on_postgresql: str | None = None
) -> Index:
    """Return an index over the rows for which *where* holds.

    Not ``postgresql_where``: naming it imports that dialect with all its drivers, 2 MB that each
    process on SQLite would carry. ``complete_indexes`` adds it where it is needed.
    """
    index = Index(name, *columns, sqlite_where=text(where))
    index.info[_ON_POSTGRESQL] = where_on_postgresql or where
    return index


def complete_indexes() -> None:
    """Tell the partial indexes their conditions on PostgreSQL, before tables are made there."""
    for table in metadata.tables.values():
        for index in table.indexes:
            if _ON_POSTGRESQL in index.info:
                index.dialect_options["postgresql"]["where"] = text(index.info[_ON_POSTGRESQL])


#: SQLite makes only an INTEGER primary key an alias of its row id.
RowId = BigInteger().with_variant(Integer(), "sqlite")


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC instant with microseconds. SQLite keeps it naive, and hands it back aware."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive instant: nobody could say which moment it means."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a naive datetime cannot be stored: {value!r}")
        # A plain datetime: drivers and time zone libraries' subclasses do not always agree.
        value = value.astimezone(UTC)
        if dialect.name == "sqlite":
            return value.replace(tzinfo=None)
        return value

    def result_processor(
        self, dialect: Dialect, coltype: object
    ) -> Callable[[Any], datetime | None] | None:
        """Return what makes UTC instants of what the driver gives.

        One function, not ``process_result_value`` around the driver's: pages read thousands.
        """
        plain = self.impl_instance.result_processor(dialect, coltype)

        def read(value: Any) -> datetime | None:
            if value is None:
                return None
            found: Any = value if plain is None else plain(value)
            aware: datetime = (
                found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
            )
            return aware

        return read


class JsonText(TypeDecorator[Any]):
    """A value kept as JSON text. ``None`` is SQL's NULL."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Encode; instants become ISO text."""
        return None if value is None else msgspec.json.encode(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Decode what was stored."""
        return None if value is None else msgspec.json.decode(value)
