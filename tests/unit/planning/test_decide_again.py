"""Deciding a run step by step, asking only what was touched, finds what asking everything finds."""

import random
from dataclasses import replace
from datetime import timedelta

import pytest
from planning_runs import NOW, over_literal, over_xcom, structure, task
from planning_runs import snapshot as planned
from tradewind.planning.decide import decide
from tradewind.planning.expand import initial_instances
from tradewind.planning.part import decide_part, task_ids_to_read
from tradewind.planning.snapshot import InstanceSnapshot, RunSnapshot, SkipMark
from tradewind.planning.standings import Standings
from tradewind.planning.structure import DagStructure
from tradewind.sdk.serialized import SerializedGroup
from tradewind.sdk.states import FINISHED, SCHEDULABLE, DagRunState, RunType
from tradewind.sdk.states import TaskInstanceState as S
from tradewind.sdk.trigger_rules import TriggerRule

ENDS = [S.SUCCESS] * 12 + [S.FAILED, S.SKIPPED, S.UP_FOR_RETRY, S.UP_FOR_RESCHEDULE, S.DEFERRED]
RULES = [TriggerRule.ALL_SUCCESS] * 8 + list(TriggerRule)


def random_dag(chance: random.Random) -> DagStructure:
    """Return a DAG with a bit of everything: rules, branches, mapping, groups, setups."""
    tasks = []
    for number in range(chance.choice([4, 12, 30])):
        above = chance.sample(tasks, min(len(tasks), chance.choice([0, 1, 1, 2, 3, 8])))
        ids = [one.task_id for one in above]
        fields = {"trigger_rule": chance.choice(RULES).value, "retries": chance.choice([0, 0, 3])}
        kind = chance.random()
        if kind < 0.1:
            fields["can_skip_downstream"] = True
        elif kind < 0.2 and ids:
            fields["expansion"] = over_xcom(*ids[:2])
        elif kind < 0.25:
            fields["expansion"] = over_literal(chance.randint(0, 3))
        elif kind < 0.45:
            fields["group_id"] = chance.choice(["g", "g.h"])
        elif kind < 0.5:
            fields |= {"is_setup": True, "trigger_rule": "all_success"}
        elif kind < 0.58:
            fields |= {"is_teardown": True, "trigger_rule": "all_done_setup_success"}
        elif kind < 0.65:
            fields["is_empty"] = True
        tasks.append(task(f"t{number}", *ids, **fields))
    groups = [
        SerializedGroup("g", expansion=chance.choice([over_literal(2), over_xcom("t0")])),
        SerializedGroup(
            "g.h", parent_id="g", expansion=chance.choice([None, over_literal(2), over_xcom("t1")])
        ),
    ]
    return structure(
        *tasks,
        groups=groups,
        is_fail_fast=chance.random() < 0.05,
        dagrun_timeout_s=chance.choice([None, None, None, 40.0]),
    )


class Play:
    """One run, played by chance; what changed is told to the next deciding."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.dag = random_dag(chance)
        self.now = NOW
        self.rows: dict[int, InstanceSnapshot] = {}
        self.lengths: dict[str, dict[int, int]] = {}
        self.marks: dict[tuple[str, int], SkipMark] = {}
        self.touched: set[str] = set()
        for task_id, map_index in initial_instances(self.dag, RunType.MANUAL, NOW):
            self.add(task_id, map_index)
        if chance.random() < 0.1:
            self.add("gone", -1)

    def add(self, task_id: str, map_index: int) -> None:
        id_ = len(self.rows)
        self.rows[id_] = InstanceSnapshot(id_, task_id, map_index, S.NONE, tries_max=3)
        self.touched.add(task_id)

    def change(self, row: InstanceSnapshot, **fields) -> None:
        self.rows[row.id] = replace(self.rows[row.id], **fields)
        self.touched.add(row.task_id)

    def snapshot(self) -> RunSnapshot:
        instances: dict[str, list[InstanceSnapshot]] = {}
        for row in sorted(self.rows.values(), key=lambda one: one.map_index):
            instances.setdefault(row.task_id, []).append(row)
        return RunSnapshot(
            dag_run_id=1,
            dag_id="d",
            run_id="r",
            run_type=RunType.MANUAL,
            state=DagRunState.RUNNING,
            logical_date=NOW,
            started_at=NOW,
            structure=self.dag,
            instances=instances,
            xcom_lengths=self.lengths,
            skip_marks=self.marks,
        )

    def apply(self, decision) -> None:
        for grown in decision.expansions:
            rows = [one for one in self.rows.values() if one.task_id == grown.task_id]
            known = {one.map_index for one in rows}
            for row in rows:
                if row.map_index < 0:
                    self.change(row, map_index=0)
                    known.add(0)
            for map_index in range(grown.length):
                if map_index not in known:
                    self.add(grown.task_id, map_index)
        for moved in decision.transitions:
            self.change(self.rows[moved.instance_id], state=moved.new)

    def go_on(self, decision) -> None:
        """Let time pass, or something end, or a person clear what has ended."""
        waiting = [one for one in self.rows.values() if one.state in (S.SCHEDULED, S.DEFERRED)]
        if decision.wake_at is not None and (not waiting or self.chance.random() < 0.3):
            self.now = max(self.now, decision.wake_at)
        elif self.chance.random() < 0.05:
            ended = [one for one in self.rows.values() if one.state in FINISHED]
            for row in self.chance.sample(ended, min(len(ended), 2)):
                self.change(row, state=S.NONE)
        for row in self.chance.sample(waiting, min(len(waiting), self.chance.choice([1, 1, 4]))):
            self.end(row)

    def end(self, row: InstanceSnapshot) -> None:
        new = self.chance.choice(ENDS)
        due_at = self.now + timedelta(seconds=self.chance.choice([0, 5]))
        self.change(
            row, state=new, due_at=due_at if new in SCHEDULABLE else None, ended_at=self.now
        )
        if new is not S.SUCCESS or row.task_id not in self.dag.tasks:
            return
        if self.chance.random() < 0.9:
            lengths = self.lengths.setdefault(row.task_id, {})
            lengths[row.map_index] = self.chance.choice([-1, 0, 1, 2, 3])
        if self.dag.tasks[row.task_id].can_skip_downstream:
            below = self.dag.downstream_ids[row.task_id]
            kept = frozenset(id_ for id_ in below if self.chance.random() < 0.5)
            self.marks[row.task_id, row.map_index] = SkipMark(followed=kept)


@pytest.mark.parametrize("seed", range(4))
def test_asking_what_was_touched_finds_what_asking_all_finds(seed):
    chance = random.Random(seed)
    steps = 0
    for _ in range(250):
        play, standings = Play(chance), Standings()
        for _ in range(120):
            steps += 1
            snapshot = play.snapshot()
            expected = decide(snapshot, play.now)
            touched, play.touched = play.touched, set()

            assert decide(snapshot, play.now, standings, touched) == expected

            if expected.run is not None:
                break
            play.apply(expected)
            if not expected.expansions:
                play.go_on(expected)
    assert steps > 1500


@pytest.mark.parametrize("seed", range(20, 23))
def test_what_a_part_of_a_run_decides_the_whole_would_too(seed):
    chance = random.Random(seed)
    answers = 0
    for _ in range(250):
        play = Play(chance)
        stored_wake_at = None
        for step in range(120):
            whole = play.snapshot()
            expected = decide(whole, play.now)
            touched, play.touched = play.touched, set()
            ids = task_ids_to_read(play.dag, touched) if step else None
            found = None
            if ids is not None:
                seen = {id_: rows for id_, rows in whole.instances.items() if id_ in ids}
                found = decide_part(replace(whole, instances=seen), play.now, touched)
            if found is None:
                stored_wake_at = expected.wake_at
            else:
                decision, is_moving = found
                on_their_way = {S.QUEUED, S.RUNNING, S.RESTARTING, S.DEFERRED}
                if is_moving or any(one.state in on_their_way for one in play.rows.values()):
                    answers += 1
                    beside = set(expected.transitions) - set(decision.transitions)
                    assert set(decision.transitions) <= set(expected.transitions)
                    # What only time has made due is found when the stored instant has come.
                    assert all(one.old in SCHEDULABLE - {S.NONE} for one in beside)
                    assert not beside or stored_wake_at <= play.now
                    assert expected.run is None
                    wakes = [at for at in (stored_wake_at, decision.wake_at) if at is not None]
                    stored_wake_at = min(wakes, default=None)
                    if expected.wake_at is not None:
                        assert stored_wake_at is not None
                        assert stored_wake_at <= expected.wake_at
            if expected.run is not None:
                break
            play.apply(expected)
            if not expected.expansions:
                play.go_on(expected)
    assert answers > 300


def test_a_part_is_the_neighbourhood_of_what_was_touched():
    chain = structure(task("t0"), *(task(f"t{n}", f"t{n - 1}") for n in range(1, 500)))

    assert task_ids_to_read(chain, ["t7"]) == {"t6", "t7", "t8"}
    assert task_ids_to_read(chain, ["gone"]) is None


def test_a_step_of_a_long_chain_asks_its_neighbour_only():
    dag = structure(task("t0"), *(task(f"t{n}", f"t{n - 1}") for n in range(1, 500)))
    rows = {f"t{n}": [InstanceSnapshot(n, f"t{n}", -1, S.NONE)] for n in range(500)}
    asked = []

    class Asking(dict):
        def get(self, task_id, default=None):
            asked.append(task_id)
            return super().get(task_id, default)

    run = replace(Play(random.Random(1)).snapshot(), structure=dag, instances=Asking(rows))
    standings = Standings()
    decide(run, NOW, standings)
    rows["t0"] = [replace(rows["t0"][0], state=S.SUCCESS)]
    run.instances.update(rows)
    asked.clear()

    decision = decide(run, NOW, standings, ["t0"])

    assert [(one.task_id, one.new) for one in decision.transitions] == [("t1", S.SCHEDULED)]
    assert set(asked) == {"t0", "t1", "t2"}


def test_a_length_that_is_known_again_tells_which_instances_count_in_a_group():
    groups = [
        SerializedGroup("g", expansion=over_literal(2)),
        SerializedGroup("g.h", parent_id="g", expansion=over_xcom("y")),
    ]
    dag = structure(
        task("y"),
        task("above", "y", group_id="g.h"),
        task("below", "above", group_id="g"),
        groups=groups,
    )
    above = {0: S.SUCCESS, 1: S.SUCCESS, 2: S.SUCCESS, 3: S.RUNNING}
    standings = Standings()

    def run(y: S) -> RunSnapshot:
        states = {"y": y, "above": above, "below": [S.NONE, S.NONE]}
        return planned(dag, states, xcom_lengths={"y": {-1: 2}})

    assert not decide(run(S.RUNNING), NOW, standings).transitions
    assert [
        (one.task_id, one.map_index, one.new)
        for one in decide(run(S.SUCCESS), NOW, standings, ["y"]).transitions
    ] == [("below", 0, S.SCHEDULED)]
