"""Assets: who names them, runs that make them, events from outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..database.errors import NotFound
from ..sdk.states import RunType
from .input import InvalidInput
from .trigger import trigger_dag

if TYPE_CHECKING:
    from ..database.asset_rows import AssetEventRow, AssetReferenceRow, AssetRow
    from ..database.values import RunRow
    from .services import Services


def find_asset(services: Services, *, name: str | None = None, uri: str | None = None) -> AssetRow:
    """Return one asset by its name, its URI, or both.

    Raises:
        InvalidInput: neither was given.
        NotFound: there is no such asset.
    """
    if not name and not uri:
        raise InvalidInput("Either --name or --uri is required")
    found = services.store.assets.find(name=name, uri=uri)
    if found is None:
        raise NotFound(f"Asset with {_described(name, uri)} does not exist.")
    return found


def list_references(services: Services, asset: AssetRow) -> list[AssetReferenceRow]:
    """Return the schedules, inlets and outlets that name an asset."""
    return services.store.assets.references(asset.id)


def producing_dag_id(services: Services, *, name: str | None = None, uri: str | None = None) -> str:
    """Return the DAG that makes an asset.

    Raises:
        NotFound: there is no such asset, or no DAG makes it.
        InvalidInput: several do.
    """
    asset = find_asset(services, name=name, uri=uri)
    references = list_references(services, asset)
    dag_ids = sorted({one.dag_id for one in references if one.kind == "outlet"})
    if not dag_ids:
        raise NotFound(f"No DAG materializes asset with {_described(name, uri)}.")
    if len(dag_ids) > 1:
        raise InvalidInput(
            f"More than one DAG materializes asset with {_described(name, uri)}: "
            f"{', '.join(dag_ids)}. Trigger one of them."
        )
    return dag_ids[0]


def materialize(
    services: Services,
    *,
    name: str | None = None,
    uri: str | None = None,
    triggered_by: str = "cli",
    **about_run: Any,
) -> RunRow:
    """Start a run of the one DAG that makes an asset.

    Args:
        about_run: as ``trigger_dag`` takes it.

    Raises:
        NotFound: there is no such asset, or no DAG makes it.
        InvalidInput: several do, or the run is not allowed as described.
    """
    dag_id = producing_dag_id(services, name=name, uri=uri)
    return trigger_dag(
        services,
        dag_id,
        triggered_by=triggered_by,
        run_type=RunType.ASSET_MATERIALIZATION,
        **about_run,
    )


def post_event(
    services: Services,
    *,
    name: str | None = None,
    uri: str | None = None,
    extra: Mapping[str, Any] | None = None,
) -> AssetEventRow:
    """Say that an asset was updated by something outside; DAGs that wait for it get a run.

    Raises:
        InvalidInput: neither name nor URI was given.
        NotFound: there is no such asset.
    """
    asset = find_asset(services, name=name, uri=uri)
    return services.store.assets.post_event(
        services.now(), services.actor, name=asset.name, uri=asset.uri, extra=extra
    )


def drop_queued(
    services: Services,
    *,
    dag_id: str | None = None,
    asset_ids: Sequence[int] | None = None,
    before: datetime | None = None,
) -> int:
    """Let events wait no more for runs; return how many did.

    Args:
        dag_id: *asset_ids*: None: of all.
        before: only events before this instant.
    """
    return services.store.asset_listings.drop_queued(
        services.now(), services.actor, dag_id=dag_id, asset_ids=asset_ids, before=before
    )


def _described(name: str | None, uri: str | None) -> str:
    given = (("name", name), ("URI", uri))
    return " and ".join(f"{what} {value}" for what, value in given if value)
