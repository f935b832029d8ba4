"""What one transaction changed of a dag run, and how much of the run has to be read for it."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection, bindparam, select, text

from ..planning.part import task_ids_to_read
from .tables import task_instance
from .tables.runs import OCCUPYING
from .versions import VersionCache

#: Runs of smaller DAGs are read whole: that costs as much as to find out what to leave out.
PART_TASKS_MIN = 60
#: A part that is more of the run than this is no gain either.
PART_SHARE_MAX = 0.5

_ON_ITS_WAY = (
    select(task_instance.c.id)
    .where(
        text(f"task_instance.{OCCUPYING}"),
        task_instance.c.dag_run_id == bindparam("dag_run_id"),
    )
    .limit(1)
)


@dataclass(slots=True)
class Touched:
    """Tasks of one run of which an instance was changed."""

    task_ids: set[str] = field(default_factory=set)
    #: DAG versions of these instances.
    version_ids: set[int] = field(default_factory=set)

    def part_to_read(self, connection: Connection, versions: VersionCache) -> list[str]:
        """Return the tasks that have to be read to decide the run; []: all."""
        if len(self.version_ids) != 1:
            return []
        structure = versions.get(connection, next(iter(self.version_ids))).structure
        if len(structure.tasks) < PART_TASKS_MIN:
            return []
        task_ids = task_ids_to_read(structure, self.task_ids)
        if task_ids is None or len(task_ids) > len(structure.tasks) * PART_SHARE_MAX:
            return []
        return sorted(task_ids)


def is_any_on_its_way(connection: Connection, dag_run_id: int) -> bool:
    """Tell whether a task instance of a run is with an executor or a triggerer."""
    return connection.execute(_ON_ITS_WAY, {"dag_run_id": dag_run_id}).first() is not None
