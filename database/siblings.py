"""Whether a mapped instance that succeeded has ended something, or only itself."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, func, select, text

from ..planning.siblings import READY_AHEAD_MAX
from ..sdk.states import FINISHED, TaskInstanceState
from .tables import task_instance
from .tables.runs import SCHEDULED

#: From the end: what has not ended is there as long as there is much of it.
_LAST_UNFINISHED = (
    select(task_instance.c.state)
    .where(
        task_instance.c.dag_run_id == bindparam("dag_run_id"),
        task_instance.c.task_id == bindparam("task_id"),
        task_instance.c.state.not_in([state.value for state in FINISHED]),
    )
    .order_by(task_instance.c.map_index.desc())
    .limit(1)
)

_READY = select(func.count()).where(
    text(f"task_instance.{SCHEDULED}"),
    task_instance.c.dag_run_id == bindparam("dag_run_id"),
    task_instance.c.task_id == bindparam("task_id"),
)


def needs_deciding(connection: Connection, dag_run_id: int, task_id: str) -> bool:
    """Tell whether the run has to be decided after quiet successes of this task's instances.

    Either the last one has ended, or it is time to make the next ones ready. What this leaves
    out (a cleared one in the middle), the scheduler's sweep finds.
    """
    which = {"dag_run_id": dag_run_id, "task_id": task_id}
    last = connection.execute(_LAST_UNFINISHED, which).scalar()
    if last is None:
        return True
    if last != TaskInstanceState.NONE.value:
        return False
    ready = connection.execute(_READY, which).scalar_one()
    return bool(ready < READY_AHEAD_MAX // 2)
