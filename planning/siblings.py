"""When the end of one mapped instance can wait for its siblings before its run is decided.

Deciding a run reads all of its task instances: at each end of one of ten thousand, that would be
most of the work. What only has a meaning once all siblings have ended is decided then.
"""

from __future__ import annotations

from ..sdk.trigger_rules import TriggerRule
from .structure import DagStructure

_R = TriggerRule

#: Instances of one mapped task that are made ready ahead of those that run. The others stay
#: without a state: a queue of ten thousand would be sorted again and again.
READY_AHEAD_MAX = 512

#: Rules that one more success tells nothing while other upstream has not ended.
_PATIENT_RULES = frozenset(
    {
        _R.ALL_SUCCESS,
        _R.ALL_DONE,
        _R.ALL_DONE_MIN_ONE_SUCCESS,
        _R.ALL_DONE_SETUP_SUCCESS,
        _R.NONE_FAILED,
        _R.NONE_FAILED_MIN_ONE_SUCCESS,
        _R.NONE_SKIPPED,
        _R.ONE_FAILED,
    }
)


def is_success_quiet(structure: DagStructure, task_id: str) -> bool:
    """Tell whether the success of an instance of *task_id* changes nothing while siblings run.

    Not so inside a mapped group, where the instances of one index follow each other, for setups
    (others may follow each of them), and for what skips others.
    """
    task = structure.tasks.get(task_id)
    if task is None or task.is_setup or task.can_skip_downstream:
        return False
    if structure.mapped_groups[task_id]:
        return False
    return all(
        structure.trigger_rules[below] in _PATIENT_RULES
        for below in structure.downstream_ids[task_id]
    )
