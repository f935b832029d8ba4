"""Backfill: a run for each past interval within a range of dates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..database.errors import DagInactive
from ..planning.plan_runs import BackfillRefused, PlannedRun, plan_backfill
from .run_conf import check_conf
from .timetables import find_timetable

if TYPE_CHECKING:
    from ..database.values import BackfillPlanEntry, BackfillRow
    from ..sdk.timetables.base import Timetable
    from .services import Services

REPROCESS_BEHAVIORS = ("none", "completed", "failed")
MAX_ACTIVE_RUNS = 10


@dataclass(frozen=True, slots=True)
class BackfillRequest:
    """What is to be backfilled. Both dates are logical dates, and included."""

    dag_id: str
    from_at: datetime
    to_at: datetime
    max_active_runs: int = MAX_ACTIVE_RUNS
    reprocess_behavior: str = "none"
    is_reverse: bool = False
    conf: Mapping[str, Any] | None = None
    #: Answers for a DAG whose timetable is a class of its own file; None: such a DAG is refused.
    own_timetable: Timetable | None = None


def plan(services: Services, request: BackfillRequest) -> Sequence[BackfillPlanEntry]:
    """Return what the backfill would do with each logical date, in the order of starting.

    Raises:
        DagNotFound: there is no such DAG.
        DagInactive: its file is gone.
        BackfillRefused: it makes no sense; the text says why.
        InvalidInput: the configuration does not fit the DAG's parameters.
    """
    runs = _planned_runs(services, request)
    return services.store.backfills.plan(request.dag_id, runs, request.reprocess_behavior)


def create(services: Services, request: BackfillRequest) -> BackfillRow:
    """Create the backfill; the scheduler starts its runs, also while the DAG is paused.

    Raises:
        As ``plan``; NotAllowed: another backfill of the DAG is not finished.
    """
    runs = _planned_runs(services, request)
    backfill_id = services.store.backfills.create(
        request.dag_id,
        runs,
        from_at=request.from_at,
        to_at=request.to_at,
        max_active_runs=request.max_active_runs,
        reprocess_behavior=request.reprocess_behavior,
        is_reverse=request.is_reverse,
        conf=request.conf,
        now=services.now(),
        actor=services.actor,
    )
    return services.store.backfills.get(backfill_id)


def find_unfinished(services: Services, dag_id: str) -> BackfillRow | None:
    """Return the backfill of this DAG that has not completed, None where there is none."""
    rows = services.store.backfills.list(dag_id=dag_id)
    return next((row for row in rows if row.completed_at is None), None)


def _planned_runs(services: Services, request: BackfillRequest) -> list[PlannedRun]:
    if not services.store.dags.get(request.dag_id).is_active:
        raise DagInactive(request.dag_id)
    dag = services.store.dags.serialized(request.dag_id)
    check_conf(dag, request.conf)
    timetable = find_timetable(dag) or request.own_timetable
    if timetable is None:
        raise BackfillRefused(
            f"DAG {request.dag_id} cannot be backfilled: its timetable is a class of its own file"
        )
    return plan_backfill(
        dag,
        timetable,
        request.from_at,
        request.to_at,
        services.now(),
        is_backwards=request.is_reverse,
        reprocess_behavior=request.reprocess_behavior,
    )


def set_paused(services: Services, backfill_id: int, *, is_paused: bool) -> None:
    """Start no more runs of a backfill, or go on.

    Raises:
        BackfillNotFound: there is none with this number.
        NotAllowed: it is finished.
    """
    services.store.backfills.set_paused(backfill_id, is_paused, services.now(), services.actor)


def cancel(services: Services, backfill_id: int) -> None:
    """End a backfill: what is queued of it fails, what runs goes on.

    Raises:
        BackfillNotFound: there is none with this number.
        NotAllowed: it is finished.
    """
    services.store.backfills.cancel(backfill_id, services.now(), services.actor)
