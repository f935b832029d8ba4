"""A whole scheduler in memory for DAGs as authors write them: only what tasks do is told.

Files are "parsed" by serializing, runs are planned, created, started and decided by the real
steps and the real store, on a clock that tests move. A task succeeds unless ``outcomes`` says
how it ends.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from tradewind.control.services import Services
from tradewind.database.settings import StoreSettings
from tradewind.database.store import Store
from tradewind.database.values import (
    AttemptResult,
    Claim,
    ClaimRequest,
    ParsedDag,
    ParsedFile,
    WorkerIdentity,
    XComWrite,
)
from tradewind.scheduler.create_asset_runs import CreateAssetRuns
from tradewind.scheduler.create_due_runs import CreateDueRuns
from tradewind.scheduler.plan_next_runs import PlanNextRuns
from tradewind.scheduler.quarantine import Quarantine
from tradewind.scheduler.step import Tick
from tradewind.sdk.clock import VirtualClock
from tradewind.sdk.dag import DAG
from tradewind.sdk.serialize_dag import serialize
from tradewind.sdk.serialized import encode

NOON = datetime(2024, 1, 15, 12, tzinfo=UTC)
REQUEST = ClaimRequest("worker", "LocalExecutor", 100)
KEY = "Y3dxNlBtR0VTdmJFV1hHaUhDd3lQbVl4YTl3bHpYZEM="

#: How a task ends: an outcome, or a function of its claim that returns one.
Ends = str | Callable[[Claim], str]


class World:
    """One store, one clock, one worker."""

    def __init__(self, at: datetime = NOON) -> None:
        self.clock = VirtualClock(at)
        self.store = Store.in_memory(StoreSettings(url="", fernet_key=KEY), clock=self.clock)
        self.services = Services(self.store, self.clock, "user:ada")
        self.store.workers.register(
            WorkerIdentity("worker", "host", "boot", 1, 1.0, "LocalExecutor", slots=100), at
        )
        self.quarantine = Quarantine(self.clock)
        self.steps = [
            PlanNextRuns(self.store),
            CreateDueRuns(self.store),
            CreateAssetRuns(self.store),
        ]
        self.parses = 0

    @property
    def now(self) -> datetime:
        """The instant that the clock shows."""
        return self.clock.now()

    def parse(self, *dags: DAG, file: str = "", is_paused: bool = False) -> None:
        """Store DAGs as the parse of one file would; a new one starts un-paused."""
        path = file or f"{dags[0].dag_id if dags else 'empty'}.py"
        parsed: list[ParsedDag] = []
        for dag in dags:
            if dag.is_paused_upon_creation is None:
                dag.is_paused_upon_creation = is_paused
            parsed.append(ParsedDag(dag.dag_id, encode(serialize(dag, relative_fileloc=path))))
        self.parses += 1
        self.store.files.save(
            ParsedFile(path, f"/dags/{path}", str(self.parses), self.now, 0.0, parsed), self.now
        )

    def tick(self, times: int = 1) -> None:
        """Plan and create runs, start and decide them, as the loop does."""
        for _ in range(times):
            tick = Tick(self.now, is_sweep=True, quarantine=self.quarantine)
            for step in self.steps:
                step.run(tick)
            self.store.runs.start_queued(self.now)
            self.store.runs.advance(self.store.runs.unfinished_ids(), self.now)

    def claim(self) -> list[Claim]:
        """Take all that may run now."""
        self.tick()
        return list(self.store.attempts.claim(REQUEST, self.now))

    def finish(self, claim: Claim, outcome: str = "success", **fields: Any) -> None:
        """Report how one attempt ended. ``result_length``, ``followed``, ``skipped``: its XComs."""
        xcoms: list[XComWrite] = []
        if (length := fields.pop("result_length", None)) is not None:
            xcoms.append(XComWrite("return_value", json.dumps([0] * length), length=length))
        for mark in ("followed", "skipped"):
            if (ids := fields.pop(mark, None)) is not None:
                xcoms.append(XComWrite("skipmixin_key", json.dumps({mark: ids})))
        result = AttemptResult(
            claim.task_instance_id,
            claim.epoch,
            claim.claim_id,
            outcome,
            ended_at=self.now,
            xcoms=xcoms,
            **fields,
        )
        self.store.attempts.finish([result], self.now, ClaimRequest("worker", "LocalExecutor", 0))

    def work(self, outcomes: Mapping[str, Ends] | None = None, **fields: Mapping[str, Any]) -> None:
        """Run everything that can run now. *fields*: task id → what ``finish`` is given."""
        for _ in range(200):
            claims = self.claim()
            if not claims:
                return
            for claim in claims:
                ends = (outcomes or {}).get(claim.task_id, "success")
                outcome = ends if isinstance(ends, str) else ends(claim)
                self.finish(claim, outcome, **fields.get(claim.task_id, {}))
        raise AssertionError("the work does not end")

    def states(self, run_id: str, dag_id: str = "d") -> dict[str, str]:
        """Return instance → state of one run."""
        return {
            row.task_id if row.map_index < 0 else f"{row.task_id}[{row.map_index}]": str(row.state)
            for row in self.store.task_instances.list(dag_id, run_id)
        }

    def run_states(self, dag_id: str = "d") -> dict[str, str]:
        """Return run id → state, by logical date."""
        runs = self.store.runs.list(dag_id, limit=1000, order="logical_date")
        return {run.run_id: str(run.state) for run in runs}

    def dates(self, dag_id: str = "d") -> list[str]:
        """Return the logical dates of all runs, to the minute where it is not midnight."""
        runs = self.store.runs.list(dag_id, limit=1000, order="logical_date")
        return [
            f"{run.logical_date:%m-%d}"
            if (run.logical_date.hour, run.logical_date.minute) == (0, 0)
            else f"{run.logical_date:%m-%dT%H:%M}"
            for run in runs
            if run.logical_date is not None
        ]

    def run_state(self, run_id: str, dag_id: str = "d") -> str:
        """Return the state of one run."""
        return str(self.store.runs.get(dag_id, run_id).state)
