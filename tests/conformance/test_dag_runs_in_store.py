"""The recorded DAG runs once more, through the database: queue, claim, finish, settle."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from excused_runs import EXCUSED
from reference_run import ReferenceRun
from tradewind.database import touched
from tradewind.database.store import Store
from tradewind.database.values import (
    AttemptResult,
    Claim,
    ClaimRequest,
    NewRun,
    ParsedDag,
    ParsedFile,
    WorkerIdentity,
    XComWrite,
)
from tradewind.sdk.serialized import encode

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "data" / "dag-runs.json").read_text()
)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
REQUEST = ClaimRequest("worker", "LocalExecutor", 100)


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    """One store for all cases: each has a DAG of its own."""
    opened = Store.in_memory()
    opened.workers.register(
        WorkerIdentity("worker", "host", "boot", 1, 1.0, "LocalExecutor", slots=100), NOW
    )
    yield opened
    opened.close()


class StoreRun:
    """One case in the store; what each task does is taken from the reference run."""

    def __init__(self, store: Store, case: Mapping[str, Any]) -> None:
        self.store = store
        self.dag_id = str(case["id"])
        self.reference = ReferenceRun(case)
        self.now = NOW
        dag = msgspec.structs.replace(
            self.reference.structure.dag, is_paused_upon_creation=False, max_active_tasks=100
        )
        store.files.save(
            ParsedFile(
                relative_path=f"{self.dag_id}.py",
                path=f"/dags/{self.dag_id}.py",
                content_hash=self.dag_id,
                parsed_at=NOW,
                duration_s=0.0,
                dags=[ParsedDag(self.dag_id, encode(dag))],
            ),
            NOW,
        )
        self.number = store.runs.create(NewRun(self.dag_id, "r", "manual", NOW), NOW)
        store.runs.start_queued(NOW)

    def run(self) -> None:
        """Claim all that is queued, finish it in one batch, and again."""
        for _ in range(1000):
            claims = self.store.attempts.claim(REQUEST, self.now)
            if claims:
                results = [self.result(claim) for claim in claims]
                self.store.attempts.finish(
                    results, self.now, ClaimRequest("worker", "LocalExecutor", 0)
                )
            elif self.store.runs.get(self.dag_id, "r").state == "running":
                self.now += timedelta(seconds=1)  # a retry is due
                self.store.runs.advance([self.number], self.now)
            else:
                return
        raise AssertionError("the run does not end")

    def result(self, claim: Claim) -> AttemptResult:
        task = self.reference.kinds[claim.task_id]
        kind = task["kind"]
        if kind == "mapped":
            kind = task["expand"][claim.map_index]
        outcome = {"fail": "failed", "skip": "skipped"}.get(kind, "success")
        skipped: list[str] = []
        xcoms: list[XComWrite] = []
        if kind in ("branch", "short_circuit"):
            skipped = self.reference.skipped_by(task)
            mark = self.reference.marks.get((claim.task_id, -1))
            if mark is not None and mark.followed is not None:
                text = json.dumps({"followed": sorted(mark.followed)})
                xcoms.append(XComWrite("skipmixin_key", text))
            elif mark is not None and mark.skipped is not None:
                text = json.dumps({"skipped": sorted(mark.skipped)})
                xcoms.append(XComWrite("skipmixin_key", text))
        return AttemptResult(
            claim.task_instance_id,
            claim.epoch,
            claim.claim_id,
            outcome,
            ended_at=self.now,
            skip_task_ids=skipped,
            xcoms=xcoms,
        )

    def ending(self) -> dict[str, Any]:
        """Return how the run ended, in the form of the recorded data."""
        rows = self.store.task_instances.list(self.dag_id, "r")
        return {
            "run": str(self.store.runs.get(self.dag_id, "r").state),
            "tasks": {
                row.task_id if row.map_index < 0 else f"{row.task_id}[{row.map_index}]": str(
                    row.state
                )
                for row in rows
            },
        }


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["id"]))
def test_a_random_dag_ends_in_the_store_as_it_does_in_airflow(
    case: dict[str, Any], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    if CASES.index(case) % 2:  # small as they are, these are decided by parts, as large ones are
        monkeypatch.setattr(touched, "PART_TASKS_MIN", 0)
        monkeypatch.setattr(touched, "PART_SHARE_MAX", 1.0)
    run = StoreRun(store, case)

    run.run()

    assert (run.ending() == case["expected"]) == (case["id"] not in EXCUSED)
