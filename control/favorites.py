"""DAGs that a user marks for themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .services import Services


def mark(services: Services, user_id: int, dag_id: str) -> None:
    """Mark a DAG; one that is marked already stays so.

    Raises:
        DagNotFound: there is no such DAG.
    """
    services.store.dags.get(dag_id)
    services.store.favorites.add(user_id, dag_id)


def unmark(services: Services, user_id: int, dag_id: str) -> bool:
    """Take the mark away; False: there was none.

    Raises:
        DagNotFound: there is no such DAG.
    """
    services.store.dags.get(dag_id)
    return services.store.favorites.remove(user_id, dag_id)
