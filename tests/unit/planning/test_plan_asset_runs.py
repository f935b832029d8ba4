"""Which run queued events make."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tradewind.planning.plan_asset_runs import QueuedEvent, is_met, later, plan_asset_run
from tradewind.sdk.asset import Asset, AssetAlias, AssetAll, BaseAsset
from tradewind.sdk.serialized import SerializedDag, SerializedTimetable
from tradewind.sdk.states import RunType

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
A, B, C = Asset("a"), Asset("b"), Asset("c", "s3://c")
X = AssetAlias("x")


def event(number: int, asset: Asset, **fields) -> QueuedEvent:
    at = NOON + timedelta(minutes=number)
    return QueuedEvent(number, asset.name, asset.uri, at, **fields)


def dag(condition: BaseAsset | None, dialect: str = "3") -> SerializedDag:
    expression = None if condition is None else condition.as_expression()
    return SerializedDag(
        "d", dialect, SerializedTimetable("asset_triggered"), asset_expression=expression
    )


@pytest.mark.parametrize(
    ("condition", "assets", "expected"),
    [
        (A, [A], True),
        (A, [B], False),
        (A & B, [A], False),
        (A & B, [A, B], True),
        (A | B, [B], True),
        ((A & B) | C, [C], True),
        ((A | B) & C, [A, B], False),
        ((A | B) & C, [B, C], True),
        (Asset.ref(name="c"), [C], True),
        (Asset.ref(uri="s3://c"), [C], True),
        (Asset.ref(uri="c"), [C], False),
        (Asset("c"), [C], False),
        (AssetAll(), [], False),
    ],
)
def test_a_condition_is_judged_by_the_assets_that_have_events(condition, assets, expected):
    events = [event(number, asset) for number, asset in enumerate(assets)]

    assert is_met(condition.as_expression(), events) is expected


def test_an_alias_is_any_of_the_assets_that_were_added_to_it():
    assert not is_met(X.as_expression(), [event(1, A)])
    assert is_met(X.as_expression(), [event(1, A, aliases=frozenset({"x", "y"}))])


def test_repeated_events_become_one_run_that_takes_them_all():
    planned = plan_asset_run(dag(A & B), [event(1, A), event(2, A), event(3, B)])

    assert planned is not None
    assert planned.event_ids == (1, 2, 3)
    assert plan_asset_run(dag(A & B), [event(4, B)]) is None


def test_dialect_3_gives_no_logical_date_and_no_interval():
    planned = plan_asset_run(dag(A), [event(1, A, source_interval_start=NOON)])

    assert planned is not None
    run = planned.run
    assert run.run_type is RunType.ASSET_TRIGGERED
    assert (run.logical_date, run.data_interval_start, run.data_interval_end) == (None, None, None)
    assert run.run_after == NOON + timedelta(minutes=1)
    stamp, _, suffix = run.run_id.rpartition("_")
    assert stamp == "asset_triggered__2026-01-01T12:01:00+00:00"
    assert len(suffix) == 8


def test_dialect_2_dates_the_run_by_its_last_event_and_covers_what_the_producers_covered():
    day = timedelta(days=1)
    events = [
        event(1, A, source_interval_start=NOON - 3 * day, source_interval_end=NOON - 2 * day),
        event(2, B, source_interval_start=NOON - 2 * day, source_interval_end=NOON - day),
    ]

    planned = plan_asset_run(dag(A & B, "2"), events)
    assert planned is not None
    assert planned.run.run_id == "dataset_triggered__2026-01-01T12:02:00+00:00"
    assert planned.run.logical_date == NOON + timedelta(minutes=2)
    assert planned.run.data_interval_start == NOON - 3 * day
    assert planned.run.data_interval_end == NOON - day

    posted = plan_asset_run(dag(A & B, "2"), [*events, event(3, A)])
    assert posted is not None
    assert posted.run.data_interval_end == NOON + timedelta(minutes=3)


def test_a_run_whose_date_is_taken_comes_a_microsecond_later():
    consumer = dag(A, "2")
    planned = plan_asset_run(consumer, [event(0, A)])
    assert planned is not None

    moved = later(planned, consumer)
    assert moved.run.run_id == "dataset_triggered__2026-01-01T12:00:00.000001+00:00"
    assert moved.event_ids == planned.event_ids


def test_an_event_of_a_pause_makes_no_run_but_goes_along_with_the_next():
    paused = event(1, A, is_counted=False)

    assert plan_asset_run(dag(A), [paused]) is None
    planned = plan_asset_run(dag(A), [paused, event(2, A)])
    assert planned is not None
    assert planned.event_ids == (1, 2)


def test_events_that_the_schedule_does_not_name_are_left_alone():
    planned = plan_asset_run(dag(A), [event(1, A), event(2, C)])

    assert planned is not None
    assert planned.event_ids == (1,)
    assert plan_asset_run(dag(None), [event(1, A)]) is None
