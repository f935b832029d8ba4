"""Branches by day and by time (semantics section 7.4, checkable example 7.8)."""

from __future__ import annotations

from datetime import UTC, datetime, time

import pytest
from tradewind.operators.branch_date_time import BranchDateTimeOperator
from tradewind.operators.branch_day_of_week import BranchDayOfWeekOperator
from tradewind.operators.empty import EmptyOperator
from tradewind.sdk import timezone

WAYS = {"follow_task_ids_if_true": "yes", "follow_task_ids_if_false": ["no"]}


def chosen(world, now, operator_class, **arguments):
    operator = operator_class(task_id="b", dag=world.dag, **WAYS, **arguments)
    with world.dag:
        operator >> [EmptyOperator(task_id="yes"), EmptyOperator(task_id="no")]
    with timezone.frozen(now):
        result = world.run("b")
    assert result.outcome == "success", result.reason
    return result.skip_task_ids


def test_the_day_of_the_week_chooses(world):
    tuesday = datetime(2024, 3, 5, tzinfo=UTC)

    assert chosen(world, tuesday, BranchDayOfWeekOperator, week_day={"TUESDAY"}) == ["no"]


def test_the_day_of_the_logical_date_can_choose(world):
    saturday = datetime(2024, 3, 9, tzinfo=UTC)

    assert chosen(
        world, saturday, BranchDayOfWeekOperator, week_day="Tuesday", use_task_logical_date=True
    ) == ["no"]


def test_example_7_8_an_unknown_day_is_an_attribute_error():
    with pytest.raises(AttributeError):
        BranchDayOfWeekOperator(task_id="b", week_day="Foo", **WAYS)


@pytest.mark.parametrize(
    ("hour", "lower", "upper", "skipped"),
    [
        (10, time(10), time(12), "no"),  # the ends are part of it
        (12, time(10), time(12), "no"),
        (13, time(10), time(12), "yes"),
        (23, time(22), time(2), "no"),  # over midnight
        (9, None, time(12), "no"),
        (13, None, time(12), "yes"),
        (9, datetime(2024, 3, 5, 10, tzinfo=UTC), None, "yes"),
        (11, datetime(2024, 3, 5, 10, tzinfo=UTC), None, "no"),
    ],
)
def test_a_span_of_time_chooses(world, hour, lower, upper, skipped):
    now = datetime(2024, 3, 5, hour, tzinfo=UTC)

    assert chosen(world, now, BranchDateTimeOperator, target_lower=lower, target_upper=upper) == [
        skipped
    ]


def test_a_span_needs_an_end():
    with pytest.raises(ValueError, match="needs target_lower"):
        BranchDateTimeOperator(task_id="b", target_lower=None, target_upper=None, **WAYS)
