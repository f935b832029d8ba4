from datetime import timedelta

import pytest
from planning_runs import NOW, S, over_literal, over_xcom, snapshot, structure, task
from tradewind.planning.expand import (
    NoLength,
    Results,
    argument_lengths,
    count_instances,
    initial_instances,
    measure,
)
from tradewind.sdk.serialized import Length
from tradewind.sdk.states import RunType


def results(dag, states, lengths):
    run = snapshot(dag, states, xcom_lengths=lengths)
    return Results(dag, run.instances, run.xcom_lengths)


LITERAL_3 = Length("literal", count=3)
LITERAL_5 = Length("literal", count=5)


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (LITERAL_3, 3),
        (Length("zip", operands=[LITERAL_3, LITERAL_5]), 3),
        (Length("zip", operands=[LITERAL_3, LITERAL_5], is_filled=True), 5),
        (Length("concat", operands=[LITERAL_3, LITERAL_5]), 8),
    ],
)
def test_lengths_of_literals_are_known_without_a_run(length, expected):
    assert measure(length, None) == expected


def test_a_task_mapped_over_two_arguments_has_their_product():
    dag = structure(task("lst"), task("m", "lst", expansion=over_xcom("lst", "lst")))
    known = results(dag, {"lst": S.SUCCESS}, {"lst": {-1: 4}})

    assert count_instances(dag, "m", known) == 16
    assert argument_lengths(dag, "m", known) == (4, 4)


@pytest.mark.parametrize(
    ("state", "lengths", "expected"),
    [
        (S.RUNNING, {}, NoLength.WAITING),
        (S.SUCCESS, {}, NoLength.MISSING),
        (S.SUCCESS, {"lst": {-1: -1}}, NoLength.MISSING),
        (S.SUCCESS, {"lst": {-1: 0}}, 0),
    ],
)
def test_a_length_is_known_once_its_task_has_left_one(state, lengths, expected):
    dag = structure(task("lst"), task("m", "lst", expansion=over_xcom("lst")))

    assert count_instances(dag, "m", results(dag, {"lst": state}, lengths)) == expected


def test_a_mapped_task_is_counted_by_pushed_values_once_all_instances_have_finished():
    dag = structure(task("m", expansion=over_literal(3)), task("n", "m", expansion=over_xcom("m")))
    pushed = {"m": {0: 1, 1: -1}}

    waiting = results(dag, {"m": [S.SUCCESS, S.SUCCESS, S.RUNNING]}, pushed)
    finished = results(dag, {"m": [S.SUCCESS, S.SUCCESS, S.SKIPPED]}, pushed)

    assert count_instances(dag, "n", waiting) is NoLength.WAITING
    assert count_instances(dag, "n", finished) == 2


def test_a_new_run_has_all_instances_of_literals_and_placeholders_of_the_rest():
    dag = structure(
        task("a"),
        task("m", expansion=over_literal(2)),
        task("none", expansion=over_literal(0)),
        task("x", "a", expansion=over_xcom("a")),
    )

    instances = initial_instances(dag, RunType.SCHEDULED, NOW)

    assert sorted(instances) == [("a", -1), ("m", 0), ("m", 1), ("none", -1), ("x", -1)]


def test_a_run_has_instances_of_the_tasks_whose_dates_hold_its_logical_date():
    day = timedelta(days=1)
    dag = structure(
        task("late", start_at=NOW + day),
        task("over", end_at=NOW - day),
        task("due", start_at=NOW, end_at=NOW),
    )

    assert initial_instances(dag, RunType.SCHEDULED, NOW) == [("due", -1)]
    assert len(initial_instances(dag, RunType.BACKFILL, NOW)) == 3
    assert len(initial_instances(dag, RunType.MANUAL, None)) == 3
