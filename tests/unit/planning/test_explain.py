from datetime import timedelta

import pytest
from planning_runs import NOW, S, over_xcom, snapshot, structure, task
from tradewind.planning.choose import Blocked, Candidate
from tradewind.planning.explain import explain
from tradewind.planning.snapshot import Past
from tradewind.sdk.states import DagRunState

DAG = structure(task("a"), task("b"), task("c", "a", "b"))


def test_a_waiting_task_says_which_upstream_it_waits_for():
    run = snapshot(DAG, {"a": S.SUCCESS, "b": S.RUNNING, "c": S.NONE})

    assert explain(run, "c", -1, NOW) == [
        "trigger rule all_success: 1 of 2 upstream have finished, 1 success (b is running)"
    ]


def test_a_paused_dag_and_a_queued_run_come_first():
    run = snapshot(DAG, {"a": S.NONE}, state=DagRunState.QUEUED)

    assert explain(run, "a", -1, NOW, is_paused=True)[:2] == [
        "DAG d is paused",
        "its run is queued: it starts when max_active_runs allows",
    ]


def test_a_scheduled_task_says_which_limit_holds_it():
    run = snapshot(DAG, {"a": S.SCHEDULED})
    blocked = Blocked(Candidate(1, "d", 1, "a"), "pool", "pool 'p' has 0 of 1 slots free")

    assert explain(run, "a", -1, NOW, blocked=blocked) == ["pool 'p' has 0 of 1 slots free"]


@pytest.mark.parametrize(
    ("past", "text"),
    [
        (Past.WAITING, "depends_on_past: it has not finished in the previous run"),
        (
            Past.BLOCKED,
            "depends_on_past: it did not succeed in the previous run; clear it or mark it there",
        ),
    ],
)
def test_a_task_that_waits_for_its_past_says_whether_a_person_has_to_act(past, text):
    dag = structure(task("a", depends_on_past=True))
    run = snapshot(dag, {"a": S.NONE}, past={"a": past})

    assert explain(run, "a", -1, NOW) == [text]


def test_a_retry_says_when():
    due_at = NOW + timedelta(seconds=30)
    run = snapshot(
        structure(task("a")), {"a": S.UP_FOR_RETRY}, instance_fields={"a": {"due_at": due_at}}
    )

    (reason,) = explain(run, "a", -1, NOW)
    assert reason.startswith("it is up_for_retry: it goes on at 2026-01-01 12:00:30")


def test_a_placeholder_says_what_its_length_waits_for():
    dag = structure(
        task("lst"), task("m", "lst", trigger_rule="all_done", expansion=over_xcom("lst"))
    )
    run = snapshot(dag, {"lst": S.RUNNING, "m": S.NONE})

    assert explain(run, "m", -1, NOW) == [
        "how many instances it has is not known yet: lst is running"
    ]


def test_a_finished_a_missing_and_a_moving_task_say_so():
    run = snapshot(DAG, {"a": S.SUCCESS, "b": S.QUEUED})

    assert explain(run, "a", -1, NOW) == ["it is finished: success"]
    assert explain(run, "b", -1, NOW) == ["it is queued: no runner has taken it yet"]
    assert explain(run, "c", 4, NOW) == ["the run has no instance of c with map index 4"]
