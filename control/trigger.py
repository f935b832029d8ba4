"""Trigger: a person starts a run of a DAG."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..database.errors import DagInactive
from ..database.new_runs import new_run
from ..planning.plan_runs import check_run_type, manual_run
from ..planning.run_ids import check_run_id
from ..sdk.states import RunType
from ..sdk.timetables.base import DataInterval
from .input import InvalidInput
from .run_conf import check_conf
from .timetables import find_timetable

if TYPE_CHECKING:
    from ..database.values import RunRow
    from ..sdk.timetables.base import Timetable
    from .services import Services


def trigger_dag(
    services: Services,
    dag_id: str,
    *,
    conf: Mapping[str, Any] | None = None,
    run_id: str | None = None,
    logical_date: datetime | None = None,
    run_after: datetime | None = None,
    data_interval: DataInterval | None = None,
    note: str | None = None,
    is_microsecond_kept: bool = False,
    triggered_by: str = "cli",
    own_timetable: Timetable | None = None,
    run_type: RunType = RunType.MANUAL,
) -> RunRow:
    """Create a manual run. Of a paused DAG it stays queued until somebody un-pauses it.

    Args:
        logical_date: None: by the DAG's dialect, now ("2") or none at all ("3").
        run_after: it does not start before; None: now.
        is_microsecond_kept: else a given logical date loses its microseconds.
        triggered_by: cli, ui, rest_api or operator.
        run_type: manual, or asset_materialization.
        own_timetable: answers for a DAG whose timetable is a class of its own file. None: the
            run of such a DAG covers no length of time.

    Raises:
        DagNotFound: there is no such DAG.
        DagInactive: its file is gone.
        DagRunExists: the run id or the logical date is taken.
        InvalidInput: run id, conf or this type of run are not allowed.
    """
    from ..sdk.configuration import conf as settings

    if not services.store.dags.get(dag_id).is_active:
        raise DagInactive(dag_id)
    dag = services.store.dags.serialized(dag_id)
    check_conf(dag, conf)
    if logical_date is not None and not is_microsecond_kept:
        logical_date = logical_date.replace(microsecond=0)
    now = services.now()
    try:
        check_run_type(dag, run_type)
        if run_id is not None:
            check_run_id(run_id, run_type, settings.get("scheduler", "allowed_run_id_pattern"))
        planned = manual_run(
            dag,
            find_timetable(dag) or own_timetable,
            now,
            logical_date=logical_date,
            run_after=run_after,
            data_interval=data_interval,
            run_id=run_id,
            run_type=run_type,
            is_date_awaited=not settings.getboolean("scheduler", "allow_trigger_in_future"),
        )
    except ValueError as error:
        raise InvalidInput(str(error)) from None
    run = new_run(
        dag_id,
        planned,
        conf=conf,
        triggered_by=triggered_by,
        triggering_user=services.user_name,
        note=note,
        external_trigger=True,
    )
    services.store.runs.create(run, now, actor=services.actor)
    return services.store.runs.get(dag_id, planned.run_id)
