"""What the store raises. Each text is one line that names the thing."""

from __future__ import annotations

from ..sdk.errors import TradewindError


class NotFound(TradewindError):
    """What was asked for by its name is not in the database."""


class DagNotFound(NotFound):
    """There is no DAG with this id."""

    def __init__(self, dag_id: str) -> None:
        super().__init__(f"There is no DAG {dag_id!r}.")
        self.dag_id = dag_id


class DagInactive(TradewindError):
    """The DAG's history is there, its file is not: nothing new of it can be started."""

    def __init__(self, dag_id: str) -> None:
        super().__init__(
            f"DAG {dag_id!r} cannot be started: its file is gone, or no longer declares it."
        )


class DagRunNotFound(NotFound):
    """The DAG has no run with this id."""

    def __init__(self, dag_id: str, run_id: str) -> None:
        super().__init__(f"DAG {dag_id!r} has no run {run_id!r}.")


class TaskInstanceNotFound(NotFound):
    """The run has no such task instance."""

    def __init__(self, dag_id: str, run_id: str, task_id: str, map_index: int = -1) -> None:
        mapped = f" with map index {map_index}" if map_index >= 0 else ""
        super().__init__(
            f"Run {run_id!r} of DAG {dag_id!r} has no task instance {task_id!r}{mapped}."
        )


class PoolNotFound(NotFound):
    """There is no pool with this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no pool {name!r}.")


class UserNotFound(NotFound):
    """There is no user with this name."""

    def __init__(self, username: str) -> None:
        super().__init__(f"There is no user {username!r}.")


class BackfillNotFound(NotFound):
    """There is no backfill with this number."""

    def __init__(self, backfill_id: int) -> None:
        super().__init__(f"There is no backfill {backfill_id}.")


class AlreadyExists(TradewindError):
    """The name is taken."""


class DagRunExists(AlreadyExists):
    """The DAG has a run with this run id, or with this logical date."""

    def __init__(self, dag_id: str, run_id: str, existing_run_id: str) -> None:
        if run_id == existing_run_id:
            text = f"DAG {dag_id!r} already has a run {run_id!r}."
        else:
            text = f"DAG {dag_id!r} already has a run with this logical date: {existing_run_id!r}."
        super().__init__(text)
        self.dag_id = dag_id
        self.run_id = existing_run_id


class NotAllowed(TradewindError):
    """The act makes no sense in the present state; the text says why."""


class DatabaseError(TradewindError):
    """The metadata database cannot be used as it is; the text says what to do."""


class AirflowsDatabase(DatabaseError):
    """The database is Apache Airflow's own, and is left untouched."""


class DatabaseAway(DatabaseError):
    """The database cannot be used just now, which passes by itself: it is to be tried again."""


class DatabaseGone(DatabaseError):
    """The file of the database was deleted, emptied, replaced or damaged while it was open."""


class DatabaseBusy(DatabaseAway):
    """Another program has held SQLite's write lock for longer than anyone should."""
