"""XComs that a person writes by hand, in place of a task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..database.errors import AlreadyExists, NotFound
from ..sdk.xcom_serialization import XComNotStorable, encode
from .input import InvalidInput

if TYPE_CHECKING:
    from ..database.values import TaskInstanceRow
    from .services import Services


def set_xcom(
    services: Services, row: TaskInstanceRow, key: str, value: Any, *, is_new: bool
) -> None:
    """Store a value as if the task had pushed it.

    Args:
        is_new: whether it must not (or else must) be there already.

    Raises:
        AlreadyExists: *is_new*, and there is one. NotFound: the reverse.
        InvalidInput: the value cannot be stored.
    """
    found = services.store.xcoms.get_many(
        dag_id=row.dag_id,
        run_id=row.run_id,
        task_ids=[row.task_id],
        key=key,
        map_indexes=[row.map_index],
    )
    if found and is_new:
        raise AlreadyExists(f"Task instance {row.task_id!r} has an XCom {key!r} already.")
    if not found and not is_new:
        raise NotFound(f"Task instance {row.task_id!r} has left no XCom {key!r}.")
    try:
        text, length = encode(value, task_id=row.task_id, key=key)
    except XComNotStorable as error:
        raise InvalidInput(str(error)) from None
    services.store.xcoms.set(
        dag_id=row.dag_id,
        run_id=row.run_id,
        task_id=row.task_id,
        map_index=row.map_index,
        key=key,
        value=text,
        length=length,
        now=services.now(),
        actor=services.actor,
    )


def delete_xcom(services: Services, row: TaskInstanceRow, key: str) -> None:
    """Remove a value.

    Raises:
        NotFound: there is none under this key.
    """
    is_gone = services.store.xcoms.delete_one(
        dag_id=row.dag_id,
        run_id=row.run_id,
        task_id=row.task_id,
        map_index=row.map_index,
        key=key,
        now=services.now(),
        actor=services.actor,
    )
    if not is_gone:
        raise NotFound(f"Task instance {row.task_id!r} has left no XCom {key!r}.")
