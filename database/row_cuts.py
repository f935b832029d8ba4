"""Cuts the rows of DAGs that the caller may not see out of every statement that reads.

A condition is added to each SELECT, also to those inside others, for each table that belongs to
a DAG. An outer join loses rows by it rather than show too many.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, Engine, Table, event, or_, select
from sqlalchemy.sql import visitors
from sqlalchemy.sql.selectable import Alias, FromClause, Join, SelectBase

from . import tables
from .caller import caller

Condition = Callable[[Any, frozenset[str]], Any]


def _dag_id(columns: Any, readable: frozenset[str]) -> Any:
    return columns.dag_id.in_(sorted(readable))


def _of_run(columns: Any, readable: frozenset[str]) -> Any:
    run = tables.dag_run.alias()
    return columns.dag_run_id.in_(select(run.c.id).where(run.c.dag_id.in_(sorted(readable))))


def _of_instance(columns: Any, readable: frozenset[str]) -> Any:
    run, instance = tables.dag_run.alias(), tables.task_instance.alias()
    return columns.task_instance_id.in_(
        select(instance.c.id)
        .join(run, run.c.id == instance.c.dag_run_id)
        .where(run.c.dag_id.in_(sorted(readable)))
    )


def _dag_id_or_none(columns: Any, readable: frozenset[str]) -> Any:
    return or_(columns.dag_id.is_(None), columns.dag_id.in_(sorted(readable)))


def _source_or_none(columns: Any, readable: frozenset[str]) -> Any:
    return or_(columns.source_dag_id.is_(None), columns.source_dag_id.in_(sorted(readable)))


def _whole_file(columns: Any, readable: frozenset[str]) -> Any:
    """A file is shown to those who may see each DAG in it: its text tells of all of them."""
    dag = tables.dag.alias()
    mine = select(dag.c.file_id).where(dag.c.dag_id.in_(sorted(readable)))
    foreign = select(dag.c.file_id).where(dag.c.dag_id.not_in(sorted(readable)))
    return columns.id.in_(mine) & columns.id.not_in(foreign)


#: Tables that are more than their columns say.
_SPECIAL: Mapping[Table, Condition] = {
    tables.webhook: _dag_id_or_none,
    tables.event: _dag_id_or_none,
    tables.asset_event: _source_or_none,
    tables.dag_file: _whole_file,
}
#: What a column of this name makes of a table's rows; the first that a table has counts.
_BY_COLUMN: Mapping[str, Condition] = {
    "dag_id": _dag_id,
    "dag_run_id": _of_run,
    "task_instance_id": _of_instance,
}


def _condition_of(table: Table) -> Condition | None:
    if table in _SPECIAL:
        return _SPECIAL[table]
    return next((cut for name, cut in _BY_COLUMN.items() if name in table.c), None)


#: Every table whose rows belong to one DAG, also those that are added tomorrow.
CUTS: Mapping[Table, Condition] = {
    table: condition
    for table in tables.metadata.tables.values()
    if (condition := _condition_of(table)) is not None
}


def enforce(engine: Engine) -> None:
    """Cut what is read over *engine* from now on. Costs nothing where nobody asked for it."""
    if not event.contains(engine, "before_execute", _before_execute):
        event.listen(engine, "before_execute", _before_execute, retval=True)


def _before_execute(
    connection: Connection,
    statement: Any,
    multiparams: Any,
    params: Any,
    _execution_options: Any,
) -> tuple[Any, Any, Any]:
    now = caller.get()
    is_cut = (
        now is not None
        and now.readable is not None
        and isinstance(statement, SelectBase)
        and connection.get_execution_options().get("is_cut", False)
    )
    if is_cut and now is not None and now.readable is not None:
        statement = cut(statement, now.readable)
    return statement, multiparams, params


def cut(statement: Any, readable: frozenset[str]) -> Any:
    """Return a statement that gives the same without the rows of DAGs outside *readable*."""

    def add(found: Any) -> None:
        for table, columns in _tables_of(found):
            condition = CUTS[table](columns, readable)
            found.where.non_generative(found, condition)

    if not any(isinstance(part, Table) and part in CUTS for part in visitors.iterate(statement)):
        return statement  # users and roles: asked for with every request, and nothing to be cut
    return visitors.cloned_traverse(statement, {}, {"select": add})


def _tables_of(found: Any) -> list[tuple[Table, Any]]:
    pairs: list[tuple[Table, Any]] = []

    def look(source: FromClause) -> None:
        if isinstance(source, Join):
            look(source.left)
            look(source.right)
        elif isinstance(source, Alias) and isinstance(source.element, Table):
            if source.element in CUTS:
                pairs.append((source.element, source.c))
        elif isinstance(source, Table) and source in CUTS:
            pairs.append((source, source.c))

    for source in found.get_final_froms():
        look(source)
    return pairs
