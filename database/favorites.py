"""DAGs that users have marked for themselves."""

from __future__ import annotations

from sqlalchemy import delete, insert, select

from .operations import Operations
from .tables import dag_favorite


class FavoriteOperations(Operations):
    """``store.favorites``: a mark changes nothing for others, so no event tells of it."""

    def dag_ids(self, user_id: int) -> frozenset[str]:
        """Return the DAGs that a user has marked."""
        statement = select(dag_favorite.c.dag_id).where(dag_favorite.c.user_id == user_id)
        with self._database.read() as connection:
            return frozenset(connection.execute(statement).scalars())

    def add(self, user_id: int, dag_id: str) -> bool:
        """Mark a DAG; False: it was marked already."""
        known = select(dag_favorite.c.dag_id).where(
            dag_favorite.c.user_id == user_id, dag_favorite.c.dag_id == dag_id
        )
        with self._database.write() as connection:
            if connection.execute(known).first() is not None:
                return False
            connection.execute(insert(dag_favorite).values(user_id=user_id, dag_id=dag_id))
        return True

    def remove(self, user_id: int, dag_id: str) -> bool:
        """Take the mark away; False: there was none."""
        statement = delete(dag_favorite).where(
            dag_favorite.c.user_id == user_id, dag_favorite.c.dag_id == dag_id
        )
        with self._database.write() as connection:
            return bool(connection.execute(statement).rowcount)
