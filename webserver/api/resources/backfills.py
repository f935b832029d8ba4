"""Backfills (version 2)."""

from __future__ import annotations

from typing import Any

from ....control import backfill as verbs
from ....database.listings import Where
from ....database.values import BackfillRow
from .. import answers_v2 as a2
from .. import bodies
from ..call import Call
from ..errors import ApiError
from ..operation import PAGE, Face, Query, operation, order

_ONE = "/backfills/{backfill_id}"
_ORDERS = {"id", "-id"}


@operation(
    "GET",
    "read",
    v2=Face(
        "list_backfills",
        "/backfills",
        (*PAGE, Query("dag_id"), order()),
        answer=a2.BackfillCollectionResponse,
        tag="Backfill",
    ),
)
def list_backfills(call: Call) -> Any:
    """List backfills."""
    (sort,) = call.order("id")[:1]
    if sort not in _ORDERS:
        raise ApiError(400, f"There is no ordering by {sort.removeprefix('-')!r}.")
    rows = call.store.backfills.list(dag_id=call.query["dag_id"], limit=10_000)
    if sort == "id":
        rows.reverse()
    limit, offset = call.window()
    shown = [_show(call, row) for row in rows[offset : offset + limit]]
    return a2.BackfillCollectionResponse(backfills=shown, total_entries=len(rows))


def _show(call: Call, row: BackfillRow) -> a2.BackfillResponse:
    found = call.store.listings.dags([Where("dag_id", "in", [row.dag_id])], ["dag_id"], 1, 0)
    return a2.BackfillResponse(
        id=row.id,
        dag_id=row.dag_id,
        from_date=row.from_at,
        to_date=row.to_at,
        dag_run_conf=None if row.conf is None else dict(row.conf),
        is_paused=row.is_paused,
        reprocess_behavior=row.reprocess_behavior,
        max_active_runs=row.max_active_runs,
        created_at=row.created_at,
        completed_at=row.completed_at,
        updated_at=row.completed_at or row.created_at,
        dag_display_name=found.rows[0].dag_display_name if found.rows else row.dag_id,
    )


@operation(
    "GET",
    "read",
    v2=Face("get_backfill", _ONE, answer=a2.BackfillResponse, errors=(404,), tag="Backfill"),
)
def get_backfill(call: Call) -> Any:
    """Show one backfill."""
    return _show(call, call.store.backfills.get(call.path["backfill_id"]))


def _request(call: Call) -> verbs.BackfillRequest:
    body = call.body
    return verbs.BackfillRequest(
        dag_id=body.dag_id,
        from_at=body.from_date,
        to_at=body.to_date,
        max_active_runs=body.max_active_runs,
        reprocess_behavior=body.reprocess_behavior,
        is_reverse=body.run_backwards,
        conf=body.dag_run_conf,
    )


@operation(
    "POST",
    "edit",
    v2=Face(
        "create_backfill",
        "/backfills",
        body=bodies.BackfillBody,
        answer=a2.BackfillResponse,
        errors=(400, 404, 409),
        tag="Backfill",
    ),
)
def create_backfill(call: Call) -> Any:
    """Create a backfill; the scheduler starts its runs."""
    return _show(call, verbs.create(call.services, _request(call)))


@operation(
    "POST",
    "edit",
    v2=Face(
        "create_backfill_dry_run",
        "/backfills/dry_run",
        body=bodies.BackfillBody,
        answer=a2.DryRunBackfillCollectionResponse,
        errors=(400, 404, 409),
        tag="Backfill",
    ),
)
def create_backfill_dry_run(call: Call) -> Any:
    """Say which logical dates a backfill would run."""
    entries = verbs.plan(call.services, _request(call))
    shown = [
        a2.DryRunBackfillResponse(
            logical_date=entry.logical_date, partition_key=None, partition_date=None
        )
        for entry in entries
        if entry.action in ("create", "reprocess")
    ]
    return a2.DryRunBackfillCollectionResponse(backfills=shown, total_entries=len(shown))


def _change(name: str) -> Face:
    return Face(
        f"{name}_backfill",
        f"{_ONE}/{name}",
        answer=a2.BackfillResponse,
        errors=(404, 409),
        tag="Backfill",
    )


@operation("PUT", "edit", v2=_change("pause"))
def pause_backfill(call: Call) -> Any:
    """Start no more runs of a backfill."""
    verbs.set_paused(call.services, call.path["backfill_id"], is_paused=True)
    return get_backfill(call)


@operation("PUT", "edit", v2=_change("unpause"))
def unpause_backfill(call: Call) -> Any:
    """Start runs of a backfill again."""
    verbs.set_paused(call.services, call.path["backfill_id"], is_paused=False)
    return get_backfill(call)


@operation("PUT", "edit", v2=_change("cancel"))
def cancel_backfill(call: Call) -> Any:
    """End a backfill: what is queued of it fails, what runs goes on."""
    verbs.cancel(call.services, call.path["backfill_id"])
    return get_backfill(call)
