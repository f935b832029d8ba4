"""How DAGs depend on each other: by triggers, sensors, markers and assets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .pause import all_dags

if TYPE_CHECKING:
    from .services import Services

ASSET_PREFIX = "asset:"


@dataclass(frozen=True, slots=True, order=True)
class DagDependency:
    """*target* starts, waits or is due because of *source*; either may be an asset.

    ``label``: the task that makes it so; empty where a schedule does.
    """

    source: str
    target: str
    label: str = ""


def list_dependencies(services: Services) -> list[DagDependency]:
    """Return all dependencies of DAGs in force, sorted, none twice.

    DAGs are told by their ids, also those that do not exist; an asset by ``asset:`` and its name.
    """
    found = set()
    for row in all_dags(services):
        for task in services.store.dags.serialized(row.dag_id).tasks:
            if task.triggered_dag_id:
                found.add(DagDependency(row.dag_id, task.triggered_dag_id, task.task_id))
            if task.awaited_dag_id:
                found.add(DagDependency(task.awaited_dag_id, row.dag_id, task.task_id))
            if task.external_marker:
                target = str(task.external_marker["dag_id"])
                found.add(DagDependency(row.dag_id, target, task.task_id))
    for asset in services.store.assets.list():
        name = ASSET_PREFIX + asset.name
        for one in services.store.assets.references(asset.id):
            if one.kind == "outlet":
                found.add(DagDependency(one.dag_id, name, one.task_id))
            elif one.kind == "schedule":
                found.add(DagDependency(name, one.dag_id))
    return sorted(found)
