"""Which upstream task instances count for a task instance, and how they stand.

Mapped tasks count with every instance. Inside one mapped group only the instances of the same
index count. Source: ``spec/semantics.md`` sections 3.6, 5.3 and 5.4.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..sdk.states import TaskInstanceState
from ..sdk.trigger_rules import NEEDS_ONE, TriggerRule, Upstream, Verdict, judge
from .expand import NoLength, Results, measure_all
from .snapshot import InstanceSnapshot, RunSnapshot

_S = TaskInstanceState

#: How many instances: all, success, skipped, failed, upstream_failed, removed.
Tally = tuple[int, int, int, int, int, int]

#: How many upstream instances a reason names.
_NAMED_MAX = 3

_NOTHING: Tally = (0, 0, 0, 0, 0, 0)
_ONE: dict[TaskInstanceState, Tally] = dict.fromkeys(_S, (1, 0, 0, 0, 0, 0)) | {
    _S.SUCCESS: (1, 1, 0, 0, 0, 0),
    _S.SKIPPED: (1, 0, 1, 0, 0, 0),
    _S.FAILED: (1, 0, 0, 1, 0, 0),
    _S.UPSTREAM_FAILED: (1, 0, 0, 0, 1, 0),
    _S.REMOVED: (1, 0, 0, 0, 0, 1),
}


def _add(tallies: Iterable[Tally]) -> Tally:
    columns = tuple(zip(*tallies, strict=True))
    if not columns:
        return _NOTHING
    a, b, c, d, e, f = columns
    return sum(a), sum(b), sum(c), sum(d), sum(e), sum(f)


class Board:
    """The states of one run while it is being decided upon: the snapshot and what changed.

    Tasks are to be asked in topological order: the tally of a task is taken once, when the first
    task below it asks, and shared by all of them.
    """

    def __init__(self, snapshot: RunSnapshot) -> None:
        """Start from the states that the store showed."""
        self.snapshot = snapshot
        self.structure = snapshot.structure
        self.results = Results(snapshot.structure, snapshot.instances, snapshot.xcom_lengths)
        #: Instance id → its new state.
        self.changed: dict[int, TaskInstanceState] = {}
        #: Tasks whose placeholder is being replaced by instances.
        self.expanding: set[str] = set()
        #: Mapped task → what the tasks that it is mapped over say; asked once, after these.
        self.length_verdicts: dict[str, Verdict] = {}
        self._tallies: dict[str, Tally] = {}
        self._descriptions: dict[tuple[tuple[str, ...], frozenset[TaskInstanceState]], str] = {}
        self._by_index: dict[str, dict[int, InstanceSnapshot]] = {}
        #: Direct upstream → counts, and with a rule → verdict: tasks side by side share them.
        self._shared: dict[tuple[str, ...], Upstream] = {}
        self._verdicts: dict[tuple[TriggerRule, tuple[str, ...]], Verdict] = {}

    def state_of(self, instance: InstanceSnapshot) -> TaskInstanceState:
        """Return the state as it stands in this pass."""
        return self.changed.get(instance.id, instance.state)

    def instances(self, task_id: str) -> Sequence[InstanceSnapshot]:
        """Return the instances of a task in this run; empty where it was not due."""
        return self.snapshot.instances.get(task_id, ())

    def tally(self, task_id: str) -> Tally:
        """Return how the instances of one task stand."""
        found = self._tallies.get(task_id)
        if found is None:
            instances = self.instances(task_id)
            if len(instances) == 1:
                found = _ONE[self.state_of(instances[0])]
            else:
                found = _add(_ONE[self.state_of(instance)] for instance in instances)
            self._tallies[task_id] = found
        return found

    def upstream(self, task_id: str, map_index: int) -> Upstream:
        """Count the direct upstream of one task instance."""
        structure = self.structure
        if structure.mapped_groups[task_id] or structure.tasks[task_id].is_teardown:
            return self._count(task_id, map_index)
        upstream_ids = structure.upstream_ids[task_id]
        found = self._shared.get(upstream_ids)
        if found is None:
            found = self._count(task_id, map_index)
            if found.removed == 0:  # else the map index counts too
                self._shared[upstream_ids] = found
        return found

    def judge(self, task_id: str, map_index: int) -> Verdict:
        """Return what the task's own trigger rule says about one instance."""
        structure = self.structure
        upstream_ids = structure.upstream_ids[task_id]
        if not upstream_ids:
            return Verdict.RUN
        rule = structure.trigger_rules[task_id]
        if structure.mapped_groups[task_id] or structure.tasks[task_id].is_teardown:
            return judge(rule, self._count(task_id, map_index))
        found = self._verdicts.get((rule, upstream_ids))
        if found is None:
            found = judge(rule, self.upstream(task_id, map_index))
            if upstream_ids in self._shared:
                self._verdicts[rule, upstream_ids] = found
        return found

    def relevant(self, task_id: str, map_index: int, upstream_id: str) -> list[InstanceSnapshot]:
        """Return the instances of one upstream task that count for one task instance."""
        instances = self.instances(upstream_id)
        indexes = self._indexes(task_id, map_index, upstream_id)
        if indexes is None:
            return list(instances)
        if upstream_id in self.expanding:
            return []
        by_index = self.by_index(upstream_id)
        return [by_index[index] for index in (-1, *indexes) if index in by_index]

    def by_index(self, task_id: str) -> Mapping[int, InstanceSnapshot]:
        """Return the instances of a task by map index."""
        found = self._by_index.get(task_id)
        if found is None:
            found = {one.map_index: one for one in self.instances(task_id)}
            self._by_index[task_id] = found
        return found

    def _tally_for(self, task_id: str, map_index: int, upstream_id: str) -> Tally:
        if not (
            self.structure.mapped_groups[task_id] and self.structure.mapped_groups[upstream_id]
        ):
            return self.tally(upstream_id)
        relevant = self.relevant(task_id, map_index, upstream_id)
        if len(relevant) == 1:
            return _ONE[self.state_of(relevant[0])]
        return _add(_ONE[self.state_of(instance)] for instance in relevant)

    def _count(self, task_id: str, map_index: int) -> Upstream:
        structure = self.structure
        upstream_ids = structure.upstream_ids[task_id]
        parts = [self._tally_for(task_id, map_index, id_) for id_ in upstream_ids]
        counts = parts[0] if len(parts) == 1 else _add(parts)
        total, success, skipped, failed, upstream_failed, removed = counts
        if total < len(upstream_ids) and not any(structure.expansions[id_] for id_ in upstream_ids):
            # A task above had no instance in this run. Airflow counts tasks where none is mapped.
            total = len(upstream_ids)
        setups: Tally = _NOTHING
        scope_unfinished = 0
        if structure.tasks[task_id].is_teardown:
            setup_ids = structure.teardown_setup_ids[task_id]
            setups = _add(self._tally_for(task_id, map_index, id_) for id_ in setup_ids)
            for id_ in structure.teardown_scope_ids.get(task_id, ()):
                one = self._tally_for(task_id, map_index, id_)
                scope_unfinished += one[0] - sum(one[1:])
        return Upstream(
            total=total,
            success=success,
            skipped=skipped,
            failed=failed,
            upstream_failed=upstream_failed,
            removed=removed,
            setup_total=setups[0],
            setup_success=setups[1],
            setup_skipped=setups[2],
            scope_unfinished=scope_unfinished,
            map_index=map_index,
        )

    def indirect_setups(self, task_id: str, map_index: int) -> Upstream | None:
        """Count the setups above a task that are not its direct upstream; None: it has none."""
        setup_ids = self.structure.indirect_setup_ids.get(task_id)
        if not setup_ids or self.structure.trigger_rules[task_id] is TriggerRule.ALWAYS:
            return None
        total, success, skipped, failed, upstream_failed, removed = _add(
            self._tally_for(task_id, map_index, id_) for id_ in setup_ids
        )
        return Upstream(
            total, success, skipped, failed, upstream_failed, removed, map_index=map_index
        )

    def _indexes(self, task_id: str, map_index: int, upstream_id: str) -> Iterable[int] | None:
        """Return which map indexes of *upstream_id* count; None: all of them."""
        own = self.structure.mapped_groups[task_id]
        other = self.structure.mapped_groups[upstream_id]
        depth = 0
        while depth < min(len(own), len(other)) and own[depth] == other[depth]:
            depth += 1
        if depth == 0:
            return None
        if map_index < 0:
            # Not expanded yet: nothing stands in its way but what is not expanded either. A rule
            # that needs one of them would be wrong over nothing, so it looks at all of them.
            return None if self.structure.trigger_rules[task_id] in NEEDS_ONE else ()
        own_parts = self.structure.expansions[task_id]
        other_parts = self.structure.expansions[upstream_id]
        if len(own_parts) == depth == len(other_parts):
            return (map_index,)
        counts = [
            self._count_product(task_id, len(own_parts)),
            self._count_product(upstream_id, len(other_parts)),
            self._count_product(task_id, depth),
        ]
        count_own, count_other, count_common = counts
        if not (count_own and count_other and count_common):
            return None
        common_index = map_index * count_common // count_own
        width = count_other // count_common
        return range(common_index * width, (common_index + 1) * width)

    def _count_product(self, task_id: str, depth: int) -> int:
        """Return the number of instances down to the given depth of expansion; 0: not known."""
        lengths = measure_all(self.structure.expansions[task_id][:depth], self.results)
        if isinstance(lengths, NoLength):
            return 0
        product = 1
        for length in lengths:
            product *= length
        return product

    def describe(self, task_id: str, map_index: int, states: frozenset[TaskInstanceState]) -> str:
        """Name the direct upstream (and setups above) that stand in one of *states*."""
        ids = (
            *self.structure.upstream_ids[task_id],
            *self.structure.indirect_setup_ids.get(task_id, ()),
        )
        if self.structure.mapped_groups[task_id]:
            return self._describe(task_id, map_index, ids, states)
        key = (ids, states)
        if key not in self._descriptions:
            self._descriptions[key] = self._describe(task_id, map_index, ids, states)
        return self._descriptions[key]

    def _describe(
        self,
        task_id: str,
        map_index: int,
        ids: Sequence[str],
        states: frozenset[TaskInstanceState],
    ) -> str:
        names: list[str] = []
        more = 0
        for id_ in ids:
            for one in self.relevant(task_id, map_index, id_):
                state = self.state_of(one)
                if state not in states:
                    continue
                if len(names) == _NAMED_MAX:
                    more += 1
                    continue
                index = f"[{one.map_index}]" if one.map_index >= 0 else ""
                names.append(f"{id_}{index} is {'not started' if state is _S.NONE else state}")
        if more:
            names.append(f"and {more} more")
        return ", ".join(names)
