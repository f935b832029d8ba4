"""A tiny executor for conformance cases: planning only, no user code, no store, virtual time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tradewind.planning.decide import decide
from tradewind.planning.expand import initial_instances
from tradewind.planning.snapshot import InstanceSnapshot, RunSnapshot, SkipMark
from tradewind.planning.standings import Standings
from tradewind.planning.structure import DagStructure
from tradewind.sdk.serialized import (
    Expansion,
    Length,
    SerializedDag,
    SerializedTask,
    SerializedTimetable,
)
from tradewind.sdk.states import FINISHED, DagRunState, RunType, TaskInstanceState, check_transition

S = TaskInstanceState


def serialized(case: Mapping[str, Any]) -> SerializedDag:
    """Build the serialized DAG of one case, as the parser would."""
    tasks = [
        SerializedTask(
            task_id=task["id"],
            task_type=task["kind"],
            upstream_task_ids=list(task["upstream"]),
            trigger_rule=task["trigger_rule"],
            retries=task.get("retries", 0),
            retry_delay_s=0.0,
            is_setup=task.get("setup", False),
            is_teardown=task.get("teardown", False),
            on_failure_fail_dagrun=task.get("on_failure_fail_dagrun", False),
            can_skip_downstream=task["kind"] in ("branch", "short_circuit"),
            expansion=Expansion([Length("literal", count=len(task["expand"]))], ["op_kwargs"])
            if task["kind"] == "mapped"
            else None,
        )
        for task in case["tasks"]
    ]
    return SerializedDag(
        dag_id=case["id"], dialect="3", timetable=SerializedTimetable("null"), tasks=tasks
    )


class ReferenceRun:
    """One run of one case: decide, let everything that is scheduled end, and again.

    That is the order in which the cases were recorded (``dag.test``). With ``one_at_a_time`` the
    run decides after each end, as a scheduler with one slot would.
    """

    def __init__(self, case: Mapping[str, Any], *, one_at_a_time: bool = False) -> None:
        self.kinds = {task["id"]: task for task in case["tasks"]}
        self.structure = DagStructure.from_serialized(serialized(case))
        self.one_at_a_time = one_at_a_time
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.state = DagRunState.RUNNING
        self.marks: dict[tuple[str, int], SkipMark] = {}
        self.standings = Standings()
        self.touched: set[str] = set()
        self.rows: dict[int, InstanceSnapshot] = {}
        for number, (task_id, map_index) in enumerate(
            initial_instances(self.structure, RunType.MANUAL, None)
        ):
            retries = self.kinds[task_id].get("retries", 0)
            self.rows[number] = InstanceSnapshot(
                number, task_id, map_index, S.NONE, tries_max=retries
            )

    def snapshot(self) -> RunSnapshot:
        instances: dict[str, list[InstanceSnapshot]] = {}
        for row in self.rows.values():
            instances.setdefault(row.task_id, []).append(row)
        return RunSnapshot(
            dag_run_id=1,
            dag_id=self.structure.dag.dag_id,
            run_id="manual",
            run_type=RunType.MANUAL,
            state=self.state,
            logical_date=None,
            started_at=self.now,
            structure=self.structure,
            instances=instances,
            skip_marks=self.marks,
        )

    def run(self) -> None:
        """Go on until the run has ended."""
        for _ in range(10_000):
            decision = decide(self.snapshot(), self.now)
            touched, self.touched = self.touched, set()
            by_touch = decide(self.snapshot(), self.now, self.standings, touched)
            assert by_touch == decision, "asking what changed finds what asking all finds"
            for transition in decision.transitions:
                self.move(transition.instance_id, transition.old, transition.new)
            if decision.run is not None:
                self.state = decision.run.new
                return
            again = decide(self.snapshot(), self.now)
            assert not again.transitions, "one pass has to reach everything"
            assert again.run is None
            scheduled = [row for row in self.rows.values() if row.state is S.SCHEDULED]
            if scheduled:
                for row in scheduled[: 1 if self.one_at_a_time else None]:
                    self.execute(row)
            elif not decision.transitions:
                assert decision.wake_at is not None, "nothing moves, and nothing will"
                self.now = decision.wake_at
        raise AssertionError("the run does not end")

    def move(self, number: int, old: TaskInstanceState, new: TaskInstanceState) -> None:
        row = self.rows[number]
        assert row.state is old
        assert old not in FINISHED
        check_transition(old, new, by_user=False)
        self.rows[number] = replace(row, state=new)
        self.touched.add(row.task_id)

    def execute(self, row: InstanceSnapshot) -> None:
        """Let one instance run to its end, in the way that its kind says."""
        task = self.kinds[row.task_id]
        kind = task["kind"]
        if kind == "mapped":
            kind = task["expand"][row.map_index]
        tries = row.try_number + 1
        if kind == "fail" and tries <= row.tries_max:
            new = S.UP_FOR_RETRY
        else:
            new = {"fail": S.FAILED, "skip": S.SKIPPED}.get(kind, S.SUCCESS)
        due_at = self.now + timedelta(0) if new is S.UP_FOR_RETRY else None
        self.rows[row.id] = replace(row, state=new, try_number=tries, due_at=due_at)
        self.touched.add(row.task_id)
        if kind in ("branch", "short_circuit"):
            self.skip(row.task_id, self.skipped_by(task))

    def skipped_by(self, task: Mapping[str, Any]) -> list[str]:
        direct = self.structure.downstream_ids[task["id"]]
        if task["kind"] == "branch":
            kept = {*task["follow"], *self.structure.downstream_closure(task["follow"])}
            followed = frozenset(id_ for id_ in direct if id_ in kept)
            self.marks[task["id"], -1] = SkipMark(followed=followed)
            return [id_ for id_ in direct if id_ not in followed]
        if task["result"]:
            return []
        below = (
            self.structure.downstream_closure([task["id"]])
            if task["ignore_downstream_trigger_rules"]
            else list(direct)
        )
        skipped = [id_ for id_ in below if not self.structure.tasks[id_].is_teardown]
        self.marks[task["id"], -1] = SkipMark(skipped=frozenset(skipped))
        return skipped

    def skip(self, task_id: str, task_ids: list[str]) -> None:
        for row in list(self.rows.values()):
            if row.task_id in task_ids and row.state is S.NONE:
                self.rows[row.id] = replace(row, state=S.SKIPPED)
                self.touched.add(row.task_id)

    def states(self) -> dict[str, str]:
        """Return the end of each instance as the recorded data names it."""
        return {
            row.task_id if row.map_index < 0 else f"{row.task_id}[{row.map_index}]": str(row.state)
            for row in self.rows.values()
        }
