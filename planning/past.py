"""What the previous dag run says to a task with ``depends_on_past``.

Source: ``spec/semantics.md`` section 4.9.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ..sdk.serialized import SerializedTask
from ..sdk.states import FINISHED, SUCCESS_STATES, TaskInstanceState
from .snapshot import Past


@dataclass(frozen=True, slots=True)
class PreviousRun:
    """One task in the previous dag run of its DAG.

    Which run that is: the one with the greatest logical date before this run's, of any type; on a
    DAG with catchup one that is not manual. A run without logical date has no previous one.
    """

    logical_date: datetime
    #: States of the task's instances; empty: the task was not due in that run.
    states: Sequence[TaskInstanceState]
    #: States of all instances of its direct downstream; asked with wait_for_downstream only.
    downstream_states: Sequence[TaskInstanceState] = ()
    #: Whether any run before this one has an instance of the task.
    has_earlier_instance: bool = True


def judge_past(
    task: SerializedTask,
    previous: PreviousRun | None,
    *,
    is_catchup: bool,
    is_first_of_backfill: bool = False,
) -> Past:
    """Tell whether the past lets an instance of *task* run.

    Args:
        previous: None where there is no previous run.
        is_catchup: the DAG's own setting.
    """
    if previous is None or is_first_of_backfill:
        return Past.CLEAR
    if is_catchup and task.start_at is not None and previous.logical_date < task.start_at:
        return Past.CLEAR
    if not previous.states:
        is_first = task.ignore_first_depends_on_past and not previous.has_earlier_instance
        return Past.CLEAR if is_first else Past.BLOCKED
    asked = list(previous.states)
    if task.wait_for_downstream:
        asked.extend(previous.downstream_states)
    bad = [state for state in asked if state not in SUCCESS_STATES]
    if not bad:
        return Past.CLEAR
    return Past.BLOCKED if any(state in FINISHED for state in bad) else Past.WAITING
