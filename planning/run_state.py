"""How a dag run ends. Source: ``spec/semantics.md`` sections 1.8 and 5.7."""

from __future__ import annotations

from datetime import datetime, timedelta

from ..sdk.states import FAILED_STATES, DagRunState
from .snapshot import RunSnapshot, RunTransition
from .upstream import Board


def times_out_at(snapshot: RunSnapshot) -> datetime | None:
    """Return the first instant at which the run is over its ``dagrun_timeout``; None: never."""
    timeout_s = snapshot.structure.dag.dagrun_timeout_s
    if timeout_s is None or snapshot.started_at is None:
        return None
    return snapshot.started_at + timedelta(seconds=timeout_s, microseconds=1)


def final_state(board: Board) -> RunTransition:
    """Return the end of a run whose instances have all finished.

    Only leaves decide: a failure that a later task was made for is no failure of the run. Removed
    instances say nothing.
    """
    for task_id in board.structure.leaf_ids:
        for instance in board.instances(task_id):
            if board.state_of(instance) in FAILED_STATES:
                return RunTransition(DagRunState.FAILED, "task_failure")
    return RunTransition(DagRunState.SUCCESS, "success")
