"""Tasks that run in this process for a person: where they log, and what they may look up."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..database.store import Store
    from ..runtime.one_task import RecordedRun

FORMAT = "[%(asctime)s] {%(filename)s:%(lineno)d} %(levelname)s - %(message)s"


def log_to_stdout() -> None:
    """Send what tasks log to stdout: it is what the command is called for."""
    from ..sdk.secrets_masker import masker

    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter(FORMAT))
    handler.addFilter(masker)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    if root.level in (logging.NOTSET, logging.WARNING):
        root.setLevel(logging.INFO)


class StoredValues:
    """Variables and Connections of the database, opened when the first one is asked for.

    Without a database there are none: tests of DAGs need no set-up.
    """

    def __init__(self) -> None:
        self._store: Store | None = None
        self._is_missing = False

    def find_variable(self, key: str) -> str | None:
        """Return a Variable's text, or None."""
        store = self._open()
        row = store.variables.get(key) if store is not None else None
        return None if row is None else row.value

    def find_connection(self, conn_id: str) -> Mapping[str, Any] | None:
        """Return a Connection's fields, or None."""
        store = self._open()
        return store.connections.get(conn_id) if store is not None else None

    def find_run(self, dag_id: str, named: str) -> RecordedRun | None:
        """Return a stored run by run id or logical date, with its XComs; None without one."""
        store = self._open()
        if store is None or store.dags.find(dag_id) is None:
            return None
        from ..control.runs import find_run
        from ..control.services import Services
        from ..planning.plan_runs import PlannedRun
        from ..runtime.one_task import RecordedRun
        from ..runtime.task.memory_runtime import MemoryXCom
        from ..sdk.states import RunType

        row = find_run(Services(store, store.clock), dag_id, named)
        if row is None:
            return None
        return RecordedRun(
            planned=PlannedRun(
                run_id=row.run_id,
                run_type=RunType(row.run_type),
                run_after=row.run_after,
                logical_date=row.logical_date,
                data_interval_start=row.data_interval_start,
                data_interval_end=row.data_interval_end,
            ),
            conf=dict(row.conf or {}),
            xcoms=[
                MemoryXCom(
                    row.run_id, xcom.task_id, xcom.map_index, xcom.key, xcom.value, xcom.length
                )
                for one in store.task_instances.list(dag_id, row.run_id)
                for xcom in store.xcoms.list(dag_id, row.run_id, one.task_id, one.map_index)
            ],
        )

    def close(self) -> None:
        """Close the database, if it was opened."""
        if self._store is not None:
            self._store.close()

    def _open(self) -> Store | None:
        if self._store is None and not self._is_missing:
            from ..database.errors import DatabaseError
            from ..database.store import open_store

            try:
                self._store = open_store()
            except DatabaseError:
                self._is_missing = True
        return self._store


@contextmanager
def stored_values() -> Iterator[StoredValues]:
    """Hand out the database's Variables and Connections for the length of a block."""
    values = StoredValues()
    try:
        yield values
    finally:
        values.close()
