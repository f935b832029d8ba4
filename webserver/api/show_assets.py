"""Assets and their events as each version of the API shows them (version 1: datasets)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from . import asset_answers_v1 as d1
from . import asset_answers_v2 as d2

if TYPE_CHECKING:
    from ...database.asset_listings import QueuedAssetRow
    from ...database.asset_rows import AssetEventRow, AssetReferenceRow, AssetRow
    from ...database.values import RunRow
    from .call import Call


def show_assets(call: Call, rows: Sequence[AssetRow]) -> list[Any]:
    """Return assets with who names them."""
    ids = [row.id for row in rows]
    references = call.store.asset_listings.references(ids)
    if call.version == 1:
        return [_dataset(row, references.get(row.id, [])) for row in rows]
    newest = call.store.asset_listings.last_events(ids)
    aliases = call.store.asset_listings.aliases(ids)
    watchers = call.store.watchers.of_assets(ids)
    shown = []
    for row in rows:
        last = newest.get(row.id)
        shown.append(
            d2.AssetResponse(
                **_references_v2(row, references.get(row.id, [])),
                id=row.id,
                name=row.name,
                uri=row.uri,
                group=row.group,
                extra=None if row.extra is None else dict(row.extra),
                created_at=row.created_at,
                updated_at=row.created_at,
                aliases=[show_alias(name) for name in sorted(aliases.get(row.id, ()))],
                watchers=[
                    d2.AssetWatcherResponse(
                        name=one.name, trigger_id=one.id, created_date=one.created_at
                    )
                    for one in watchers.get(row.id, ())
                ],
                last_asset_event=None
                if last is None
                else d2.LastAssetEventResponse(id=last[0], timestamp=last[1]),
            )
        )
    return shown


def _dataset(row: AssetRow, references: Sequence[AssetReferenceRow]) -> d1.Dataset:
    # It is not kept when a DAG began to name an asset: the asset's own age stands for it.
    at = {"created_at": row.created_at, "updated_at": row.created_at}
    return d1.Dataset(
        id=row.id,
        uri=row.uri,
        extra=dict(row.extra or {}),
        **at,
        consuming_dags=[
            d1.DagScheduleDatasetReference(dag_id=one.dag_id, **at)
            for one in references
            if one.kind == "schedule"
        ],
        producing_tasks=[
            d1.TaskOutletDatasetReference(dag_id=one.dag_id, task_id=one.task_id, **at)
            for one in references
            if one.kind == "outlet"
        ],
    )


def _references_v2(row: AssetRow, references: Sequence[AssetReferenceRow]) -> dict[str, Any]:
    at = {"created_at": row.created_at, "updated_at": row.created_at}

    def tasks(kind: str) -> list[d2.TaskAssetReference]:
        return [
            d2.TaskAssetReference(dag_id=one.dag_id, task_id=one.task_id, **at)
            for one in references
            if one.kind == kind
        ]

    return {
        "scheduled_dags": [
            d2.DagScheduleAssetReference(dag_id=one.dag_id, **at)
            for one in references
            if one.kind == "schedule"
        ],
        "producing_tasks": tasks("outlet"),
        "consuming_tasks": tasks("inlet"),
    }


def alias_number(name: str) -> int:
    """Return the number that version 2 knows an alias by: the same wherever the name is."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:6])


def show_alias(name: str) -> d2.AssetAliasResponse:
    """Return one alias."""
    return d2.AssetAliasResponse(id=alias_number(name), name=name, group="")


def show_events(call: Call, rows: Sequence[AssetEventRow]) -> list[Any]:
    """Return events with the runs that they went into."""
    made = call.store.asset_listings.runs_made([row.id for row in rows])
    if call.version == 1:
        return [_event_v1(row, made.get(row.id, [])) for row in rows]
    return [_event_v2(row, made.get(row.id, [])) for row in rows]


def _event_v1(row: AssetEventRow, runs: Sequence[RunRow]) -> d1.DatasetEvent:
    return d1.DatasetEvent(
        id=row.id,
        dataset_id=row.asset_id,
        dataset_uri=row.uri,
        extra=dict(row.extra),
        source_dag_id=row.source_dag_id,
        source_task_id=row.source_task_id,
        source_run_id=row.source_run_id,
        source_map_index=-1 if row.source_map_index is None else row.source_map_index,
        created_dagruns=[
            d1.BasicDAGRun(
                run_id=run.run_id,
                dag_id=run.dag_id,
                logical_date=run.logical_date or run.run_after,
                start_date=run.started_at,
                end_date=run.ended_at,
                data_interval_start=run.data_interval_start,
                data_interval_end=run.data_interval_end,
                state=run.state,
            )
            for run in runs
        ],
        timestamp=row.at,
    )


def _event_v2(row: AssetEventRow, runs: Sequence[RunRow]) -> d2.AssetEventResponse:
    return d2.AssetEventResponse(
        id=row.id,
        asset_id=row.asset_id,
        uri=row.uri,
        name=row.name,
        group=row.group,
        extra=dict(row.extra),
        source_task_id=row.source_task_id,
        source_dag_id=row.source_dag_id,
        source_run_id=row.source_run_id,
        source_map_index=-1 if row.source_map_index is None else row.source_map_index,
        created_dagruns=[
            d2.DagRunAssetReference(
                run_id=run.run_id,
                dag_id=run.dag_id,
                logical_date=run.logical_date,
                # Clients cannot read a null here: of a run that waits, when it may start.
                start_date=run.started_at or run.run_after,
                end_date=run.ended_at,
                state=run.state,
                data_interval_start=run.data_interval_start,
                data_interval_end=run.data_interval_end,
                partition_key=None,
                triggering=True,
            )
            for run in runs
        ],
        timestamp=row.at,
    )


def show_queued(call: Call, row: QueuedAssetRow) -> Any:
    """Return what waits for a run of a DAG."""
    if call.version == 1:
        return d1.QueuedEvent(uri=row.uri, dag_id=row.dag_id, created_at=row.created_at)
    return d2.QueuedEventResponse(
        dag_id=row.dag_id,
        asset_id=row.asset_id,
        created_at=row.created_at,
        dag_display_name=row.dag_display_name or row.dag_id,
    )
