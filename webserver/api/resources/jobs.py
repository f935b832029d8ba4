"""Jobs (version 2): the processes that give signs of life, and runners with their leases."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

from ....database.values import ProcessRow, WorkerRow
from ....sdk.configuration import conf
from ...health import THRESHOLD_DEFAULT_S, THRESHOLDS
from .. import answers_v2 as a2
from ..call import Call
from ..errors import ApiError
from ..operation import PAGE, Face, Query, bounds, operation, order

#: Kind of process → what clients know it as.
_TYPES = {
    "scheduler": "SchedulerJob",
    "triggerer": "TriggererJob",
    "dag_processor": "DagProcessorJob",
}
_RUNNER = "RunnerJob"
_WORKER_STATES = {"alive": "running", "stopped": "success", "lost": "failed"}
_ORDERS = frozenset(
    {"id", "state", "job_type", "start_date", "end_date", "latest_heartbeat", "hostname"}
)
_FILTERS = (("job_state", "state"), ("job_type", "job_type"), ("hostname", "hostname"))


@operation(
    "GET",
    "read",
    v2=Face(
        "get_jobs",
        "/jobs",
        (
            *PAGE,
            order(),
            Query("is_alive", "boolean"),
            *bounds("start_date", "end_date", is_strict=True),
            Query("job_state"),
            Query("job_type"),
            Query("hostname"),
            Query("executor_class"),
        ),
        answer=a2.JobCollectionResponse,
        errors=(400,),
        tag="Job",
    ),
)
def get_jobs(call: Call) -> Any:
    """List schedulers, parsers, triggerers and runners."""
    now = call.services.now()
    jobs = [_process(row, now) for row in call.store.processes.list()]
    jobs += [_worker(row) for row in call.store.workers.list(tuple(_WORKER_STATES))]
    jobs = [job for job in jobs if _is_wanted(call, job)]
    for asked in reversed(call.order("id")):
        name = asked.removeprefix("-")
        if name not in _ORDERS:
            raise ApiError(400, f"There is no ordering by {name!r}.")
        jobs.sort(key=lambda job: _key(job, name), reverse=asked.startswith("-"))
    limit, offset = call.window()
    return a2.JobCollectionResponse(jobs=jobs[offset : offset + limit], total_entries=len(jobs))


def _key(job: a2.JobResponse, name: str) -> tuple[bool, Any]:
    value = getattr(job, name)
    return (value is None, value if value is not None else "")


def _is_wanted(call: Call, job: a2.JobResponse) -> bool:
    query = call.query
    if query["is_alive"] is not None and (job.state == "running") != query["is_alive"]:
        return False
    if query["executor_class"] not in (None, job.executor_class):
        return False
    if any(query[asked] not in (None, getattr(job, field)) for asked, field in _FILTERS):
        return False
    return all(_is_within(getattr(job, name), query, name) for name in ("start_date", "end_date"))


def _is_within(at: datetime | None, query: Any, name: str) -> bool:
    bound = {suffix: query[f"{name}_{suffix}"] for suffix in ("gte", "gt", "lte", "lt")}
    if at is None:
        return not any(bound.values())
    return not (
        (bound["gte"] is not None and at < bound["gte"])
        or (bound["gt"] is not None and at <= bound["gt"])
        or (bound["lte"] is not None and at > bound["lte"])
        or (bound["lt"] is not None and at >= bound["lt"])
    )


def _process(row: ProcessRow, now: datetime) -> a2.JobResponse:
    section, key = THRESHOLDS.get(row.kind, THRESHOLDS["scheduler"])
    threshold = timedelta(seconds=conf.getint(section, key, fallback=THRESHOLD_DEFAULT_S))
    is_alive = now - row.beat_at <= threshold
    return _job(
        row.id,
        state="running" if is_alive else "failed",
        job_type=_TYPES.get(row.kind, row.kind),
        start_date=row.started_at,
        end_date=None if is_alive else row.beat_at,
        latest_heartbeat=row.beat_at,
        executor_class=None,
        hostname=row.host,
    )


def _worker(row: WorkerRow) -> a2.JobResponse:
    return _job(
        row.id,
        state=_WORKER_STATES.get(row.state, row.state),
        job_type=_RUNNER,
        start_date=row.started_at,
        end_date=row.stopped_at,
        latest_heartbeat=row.renewed_at,
        executor_class=row.executor or None,
        hostname=row.host,
    )


def _job(name: str, **fields: Any) -> a2.JobResponse:
    # Processes are known by names; clients want a number: the same for the same name.
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:6])
    return a2.JobResponse(id=number, dag_id=None, unixname=None, **fields)
