"""DAG versions as values. A version never changes, so each process keeps those it met."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from sqlalchemy import Connection, bindparam, select

from ..planning.structure import DagStructure
from ..sdk.serialized import SerializedDag, SerializedTask, decode
from .errors import NotFound
from .tables import dag_version

#: Structures kept at most; each is some kilobytes a task.
KEPT_MAX = 256

_SELECT = select(
    dag_version.c.dag_id,
    dag_version.c.version_number,
    dag_version.c.hash,
    dag_version.c.serialized,
).where(dag_version.c.id == bindparam("version_id"))


@dataclass(frozen=True, slots=True)
class Version:
    """One DAG version, and what the store asks of it again and again."""

    id: int
    dag_id: str
    number: int
    hash: str
    dag: SerializedDag
    structure: DagStructure
    #: Tasks that look at the previous run.
    past_task_ids: tuple[str, ...] = ()
    #: Tasks whose results' lengths say how often others are mapped.
    length_source_ids: frozenset[str] = field(default_factory=frozenset)
    #: Tasks that may leave a mark on what to skip.
    marking_ids: frozenset[str] = field(default_factory=frozenset)
    #: Whether any task limits how many of its instances run at once.
    has_task_limits: bool = False

    @property
    def tasks(self) -> dict[str, SerializedTask]:
        """Tasks by id, in topological order."""
        return dict(self.structure.tasks)


class VersionCache:
    """The versions that this process has met lately.

    Rows never change: a version that no run has used yet is replaced under a new id.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[int, Version] = OrderedDict()

    def get(self, connection: Connection, version_id: int) -> Version:
        """Return one version.

        Raises:
            NotFound: there is no such version.
        """
        kept = self._kept.get(version_id)
        if kept is not None:
            self._kept.move_to_end(version_id)
            return kept
        row = connection.execute(_SELECT, {"version_id": version_id}).one_or_none()
        if row is None:
            raise NotFound(f"There is no DAG version {version_id}.")
        version = build(version_id, row.dag_id, row.version_number, row.hash, row.serialized)
        self._kept[version_id] = version
        while len(self._kept) > KEPT_MAX:
            self._kept.popitem(last=False)
        return version


def build(version_id: int, dag_id: str, number: int, hash_: str, serialized: bytes) -> Version:
    """Make a version of its stored form."""
    dag = decode(serialized)
    structure = DagStructure.from_serialized(dag)
    return Version(
        id=version_id,
        dag_id=dag_id,
        number=number,
        hash=hash_,
        dag=dag,
        structure=structure,
        past_task_ids=tuple(
            id_
            for id_, task in structure.tasks.items()
            if task.depends_on_past or task.wait_for_downstream
        ),
        length_source_ids=frozenset(
            id_ for ids in structure.length_task_ids.values() for id_ in ids
        ),
        marking_ids=frozenset(
            id_ for ids in structure.skipping_upstream_ids.values() for id_ in ids
        ),
        has_task_limits=any(
            task.max_active_tis_per_dag is not None or task.max_active_tis_per_dagrun is not None
            for task in dag.tasks
        ),
    )
