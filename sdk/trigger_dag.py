"""``trigger_dag``: start a run of another DAG from within a task."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from . import task_runtime
from .dag_run import DagRun
from .exceptions import AirflowException, DagRunAlreadyExists, InvalidUseError, InvalidValueError


def trigger_dag(
    dag_id: str,
    run_id: str | None = None,
    conf: dict[str, Any] | str | None = None,
    execution_date: datetime | None = None,
    replace_microseconds: bool = True,
    *,
    logical_date: datetime | None = None,
    run_after: datetime | None = None,
    note: str | None = None,
    **ignored: Any,
) -> DagRun | None:
    """Create a manual run of *dag_id* and return it.

    Args:
        conf: a mapping, or its JSON text.
        execution_date: Airflow 1.10 and 2's name of *logical_date*.
        replace_microseconds: cut the logical date to the second.
        ignored: what Airflow takes besides, such as ``triggered_by``.

    Raises:
        InvalidUseError: no task runs here.
        DagRunAlreadyExists: the DAG has a run of that id or date.
        AirflowException: there is no such DAG, or it cannot be triggered.
        ValueError: *conf* is no mapping.
    """
    runtime = task_runtime.current
    if runtime is None:
        raise InvalidUseError("a DAG can be triggered while a task runs only")
    given = json.loads(conf) if isinstance(conf, str) and conf else conf or None
    if given is not None and not isinstance(given, Mapping):
        raise InvalidValueError(f"conf must be a mapping, not {type(given).__name__}")
    dated = logical_date or execution_date
    if dated is not None and replace_microseconds:
        dated = dated.replace(microsecond=0)
    answer = runtime.trigger_dag_run(
        dag_id=dag_id,
        run_id=run_id,
        logical_date=dated,
        run_after=run_after,
        conf=given,
        reset=False,
        note=note,
        fail_when_paused=False,
    )
    created = str(answer.get("run_id") or run_id or "")
    error = str(answer.get("error") or "")
    if error == "exists":
        raise DagRunAlreadyExists(created, dag_id=dag_id)
    if error:
        raise AirflowException(f"the DAG {dag_id!r} was not triggered: {error}")
    return DagRun(dag_id, created, runtime.get_dag_run(dag_id=dag_id, run_id=created) or {})
