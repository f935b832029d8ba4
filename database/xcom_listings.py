"""Filtered, ordered, counted pages of XComs, over one run or many, for the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from .listings import Listed, Where, conditioned, read_page
from .operations import Operations
from .tables import dag, dag_run, xcom

XCOM_FIELDS: Mapping[str, Any] = {
    "key": xcom.c.key,
    "timestamp": xcom.c.created_at,
    "map_index": xcom.c.map_index,
    "task_id": xcom.c.task_id,
    "dag_id": dag_run.c.dag_id,
    "dag_display_name": dag.c.dag_display_name,
    "run_id": dag_run.c.run_id,
    "logical_date": dag_run.c.logical_date,
    "run_after": dag_run.c.run_after,
}
_ROWS = (
    select(
        xcom.c.key,
        xcom.c.task_id,
        xcom.c.map_index,
        xcom.c.created_at,
        dag_run.c.dag_id,
        dag_run.c.run_id,
        dag_run.c.logical_date,
        dag_run.c.run_after,
        dag_run.c.version_id,
    )
    .join(dag_run, dag_run.c.id == xcom.c.dag_run_id)
    .join(dag, dag.c.dag_id == dag_run.c.dag_id)
)


@dataclass(frozen=True, slots=True)
class XComRecord:
    """One XCom without its value, and what its answer shows of its run."""

    key: str
    task_id: str
    map_index: int
    created_at: datetime
    dag_id: str
    run_id: str
    logical_date: datetime | None
    run_after: datetime
    version_id: int


class XComListingOperations(Operations):
    """``store.xcom_listings``: each read is one transaction, and has a limit."""

    def list(
        self, where: Sequence[Where], order: Sequence[str], limit: int, offset: int
    ) -> Listed[XComRecord]:
        """Return XComs without their values.

        Raises:
            UnknownField: they cannot be ordered so.
        """
        statement = conditioned(_ROWS, XCOM_FIELDS, where)
        with self._database.read() as connection:
            rows, total = read_page(
                connection, statement, XCOM_FIELDS, order, xcom.c.key, limit, offset
            )
        return Listed([XComRecord(*row) for row in rows], total)
