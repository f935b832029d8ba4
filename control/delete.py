"""Delete: a DAG with all its history."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .services import Services


def delete_dag(services: Services, dag_id: str) -> int:
    """Delete all rows of a DAG; while its file is there the next parse makes it anew.

    Returns:
        How many rows went, 0 where that is not known.

    Raises:
        DagNotFound: there is no such DAG.
        NotAllowed: task instances are running.
    """
    services.store.dags.get(dag_id)
    return services.store.dags.delete(dag_id, services.now(), services.actor) or 0
