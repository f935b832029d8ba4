"""What is wrong with DAGs that load well: pools that do not exist, assets that are another's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..database.listings import VersionRecord
    from ..database.values import DagRow
    from .services import Services

NON_EXISTENT_POOL = "non-existent pool"
ASSET_CONFLICT = "asset conflict"
KINDS = (ASSET_CONFLICT, NON_EXISTENT_POOL)


@dataclass(frozen=True, slots=True)
class DagWarning:
    """One thing to be mended in a DAG. ``at``: when the DAG was last parsed."""

    dag_id: str
    dag_display_name: str
    kind: str
    message: str
    at: datetime


def find_warnings(services: Services, rows: Sequence[DagRow]) -> list[DagWarning]:
    """Return the warnings of DAGs, as things are now: a pool that was made is warned of no more."""
    records = services.store.listings.versions([row.version_id for row in rows])
    pools = {pool.name for pool in services.store.pools.list()}
    found: list[DagWarning] = []
    for row in rows:
        record = records.get(row.version_id)
        if record is None:
            continue
        for kind, message in (*_pools(record, pools), *_assets(services, record)):
            at = row.last_parsed_at or record.created_at
            found.append(DagWarning(row.dag_id, row.dag_display_name, kind, message, at))
    return found


def _pools(record: VersionRecord, pools: set[str]) -> list[tuple[str, str]]:
    missing = sorted({task.pool for task in record.version.dag.tasks} - pools)
    if not missing:
        return []
    names = ", ".join(repr(name) for name in missing)
    text = f"Tasks use pools that do not exist: {names}. They wait until the pools are made."
    return [(NON_EXISTENT_POOL, text)]


def _assets(services: Services, record: VersionRecord) -> list[tuple[str, str]]:
    named = sorted(
        {
            (one.name, one.uri)
            for task in record.version.dag.tasks
            for one in (*task.inlets, *task.outlets)
            if one.name and one.uri and not one.is_alias
        }
    )
    if not named:
        return []
    return [
        (ASSET_CONFLICT, f"The asset {name!r} ({uri}) has a name or URI that another asset has.")
        for name, uri in services.store.assets.inactive(named)
    ]
