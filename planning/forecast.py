"""What is going to run: the plans of all DAGs under a clock that runs ahead of the real one.

Pure. Runs become due as ``plan_runs`` says, wait for ``max_active_runs``, last as long as they
usually do, and update their assets when they end, which makes runs of other DAGs. Pools and
slots are not foreseen: how long a run takes already holds what its tasks waited for them.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from .plan_asset_runs import QueuedEvent, is_met


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is known of one DAG: all that its coming runs follow from."""

    dag_id: str
    #: When its scheduled runs are due, oldest first; before now: they are late.
    due_at: Sequence[datetime]
    #: How long a run usually takes; None: none has ended yet, it counts as no time.
    length: timedelta | None
    max_active_runs: int
    #: When its runs that go now are expected to end.
    ends_at: Sequence[datetime] = ()
    #: The condition of an asset schedule, and the events that wait for it.
    asset_expression: Mapping[str, Any] | None = None
    events: Sequence[QueuedEvent] = ()
    #: Name and URI of what a run updates when it ends.
    outlets: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class ExpectedRun:
    """One run that is to come. ``starts_at`` is later than ``due_at`` where it has to wait."""

    dag_id: str
    due_at: datetime
    starts_at: datetime
    ends_at: datetime
    is_length_known: bool
    is_by_assets: bool


@dataclass(slots=True)
class _Dag:
    outlook: Outlook
    active: int = 0
    waiting: list[tuple[datetime, bool]] = field(default_factory=list)
    events: list[QueuedEvent] = field(default_factory=list)


def forecast(
    outlooks: Sequence[Outlook], now: datetime, until: datetime, runs_max: int = 5000
) -> list[ExpectedRun]:
    """Return the runs that are due until *until*, by their start; at most *runs_max*."""
    return _World(outlooks, now, until, runs_max).run()


class _World:
    """A clock that jumps from one instant at which something happens to the next."""

    def __init__(
        self, outlooks: Sequence[Outlook], now: datetime, until: datetime, runs_max: int
    ) -> None:
        self.now, self.until, self.runs_max = now, until, runs_max
        self.dags = {one.dag_id: _Dag(one, events=list(one.events)) for one in outlooks}
        self.numbers = itertools.count()
        self.happens: list[tuple[datetime, int, str, str]] = []
        self.found: list[ExpectedRun] = []
        for one in outlooks:
            self.dags[one.dag_id].active = len(one.ends_at)
            for at in one.ends_at:
                self._put(max(at, now), "end", one.dag_id)
            for at in one.due_at:
                self._put(max(at, now), "due", one.dag_id)

    def run(self) -> list[ExpectedRun]:
        for dag in self.dags.values():
            self._look_at_events(dag, self.now)
        while self.happens and len(self.found) < self.runs_max:
            at, _, what, dag_id = heapq.heappop(self.happens)
            if at > self.until:
                break
            dag = self.dags[dag_id]
            if what == "due":
                dag.waiting.append((at, False))
            else:
                dag.active -= 1
                self._update_assets(dag, at)
                self._look_at_events(dag, at)
            self._start(dag, at)
        return sorted(self.found, key=lambda run: (run.starts_at, run.dag_id))

    def _put(self, at: datetime, what: str, dag_id: str) -> None:
        heapq.heappush(self.happens, (at, next(self.numbers), what, dag_id))

    def _start(self, dag: _Dag, at: datetime) -> None:
        length = dag.outlook.length
        while dag.waiting and dag.active < dag.outlook.max_active_runs:
            due_at, is_by_assets = dag.waiting.pop(0)
            end = at + (length or timedelta(0))
            dag.active += 1
            self.found.append(
                ExpectedRun(dag.outlook.dag_id, due_at, at, end, length is not None, is_by_assets)
            )
            self._put(end, "end", dag.outlook.dag_id)

    def _update_assets(self, dag: _Dag, at: datetime) -> None:
        for name, uri in dag.outlook.outlets:
            event = QueuedEvent(next(self.numbers), name, uri, at)
            for other in self.dags.values():
                if other.outlook.asset_expression is not None:
                    other.events.append(event)
                    self._look_at_events(other, at)

    def _look_at_events(self, dag: _Dag, at: datetime) -> None:
        """Make the run that the queued events make, if there is room: it takes all of them."""
        expression = dag.outlook.asset_expression
        has_room = dag.active + len(dag.waiting) < dag.outlook.max_active_runs
        if expression is None or not has_room:
            return
        if is_met(expression, [event for event in dag.events if event.is_counted]):
            dag.events.clear()
            dag.waiting.append((at, True))
            self._start(dag, at)
