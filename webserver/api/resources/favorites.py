"""DAGs that a user marks for themselves (version 2)."""

from __future__ import annotations

from ....control import favorites as verbs
from ..call import Call
from ..errors import ApiError
from ..operation import Face, operation


def user_id_of(call: Call) -> int:
    """Return the number of the user who asks.

    Raises:
        ApiError: nobody said who they are.
    """
    if call.user is None:
        raise ApiError(403, "Marks belong to users: log in first.")
    return call.user.id


@operation(
    "POST",
    "read",
    v2=Face("favorite_dag", "/dags/{dag_id}/favorite", status=204, errors=(404,), tag="DAG"),
)
def favorite_dag(call: Call) -> None:
    """Mark a DAG for yourself."""
    verbs.mark(call.services, user_id_of(call), call.dag_id)


@operation(
    "POST",
    "read",
    v2=Face(
        "unfavorite_dag", "/dags/{dag_id}/unfavorite", status=204, errors=(404, 409), tag="DAG"
    ),
)
def unfavorite_dag(call: Call) -> None:
    """Take your mark from a DAG."""
    if not verbs.unmark(call.services, user_id_of(call), call.dag_id):
        raise ApiError(409, f"DAG {call.dag_id!r} is not among your favorites.")
