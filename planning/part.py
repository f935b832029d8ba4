"""Deciding a run by a part of it: what one step touched, and all that this may change.

Reading and asking all tasks of a run at each end of one costs the more the larger its DAG is.
Where a part is not enough to know what becomes of the run, there is no answer, and all is asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from ..sdk.states import TaskInstanceState
from .decide import decide
from .snapshot import Decision, RunSnapshot
from .standings import Standing, Standings
from .structure import DagStructure

#: Stands for all tasks that are not in the part: no task id is empty.
_REST = ""


def task_ids_to_read(structure: DagStructure, touched_ids: Iterable[str]) -> set[str] | None:
    """Return the tasks that ``decide_part`` has to see after *touched_ids* have changed.

    These, what depends on them, and all that those ask. None: all tasks.
    """
    if structure.dag.is_fail_fast:
        return None
    asked = set(touched_ids)
    if not asked <= structure.tasks.keys():
        return None
    for task_id in tuple(asked):
        asked.update(structure.dependent_ids[task_id])
    seen = set(asked)
    for task_id in asked:
        upstream_ids = structure.upstream_ids[task_id]
        seen.update(upstream_ids)
        seen.update(structure.indirect_setup_ids.get(task_id, ()))
        seen.update(structure.teardown_scope_ids.get(task_id, ()))
        for id_ in (task_id, *upstream_ids):
            seen.update(structure.length_task_ids.get(id_, ()))
    return seen


def decide_part(
    snapshot: RunSnapshot, now: datetime, touched_ids: Iterable[str]
) -> tuple[Decision, bool] | None:
    """Return what changes in a part of a run, and whether anything of the part goes on.

    The answer holds while the run cannot have ended: something of it, in the part or not, is on
    its way. ``wake_at`` is that of the part.

    Args:
        snapshot: with the instances of the tasks that ``task_ids_to_read`` names.

    Returns:
        None: what changes reaches further than the part, so that all tasks have to be asked.
    """
    standings = Standings()
    standings.put(_REST, Standing(unfinished=1, moving=1, wake_at=None))
    decision = decide(snapshot, now, standings, touched_ids)
    if decision.expansions or decision.run is not None:
        return None
    # What is merely ready changes nothing for others; what has ended does.
    if any(one.new is not TaskInstanceState.SCHEDULED for one in decision.transitions):
        return None
    return decision, standings.moving > 1
