"""Ids of runs: semantics 4.7."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from tradewind.planning.run_ids import check_run_id, generate_run_id, infer_run_type
from tradewind.sdk.states import RunType

FIRST, SECOND = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 2, tzinfo=UTC)
PATTERN = r"^[A-Za-z0-9_.~:+-]+$"


@pytest.mark.parametrize(
    ("run_type", "dialect", "expected"),
    [
        (RunType.SCHEDULED, "2", "scheduled__2024-01-01T00:00:00+00:00"),
        (RunType.SCHEDULED, "3", "scheduled__2024-01-02T00:00:00+00:00"),
        (RunType.MANUAL, "2", "manual__2024-01-01T00:00:00+00:00"),
        (RunType.MANUAL, "3", "manual__2024-01-02T00:00:00+00:00"),
        (RunType.BACKFILL, "2", "backfill__2024-01-01T00:00:00+00:00"),
        (RunType.BACKFILL, "3", "backfill__2024-01-02T00:00:00+00:00"),
        (RunType.ASSET_TRIGGERED, "2", "dataset_triggered__2024-01-01T00:00:00+00:00"),
        (RunType.OPERATOR_TRIGGERED, "3", "manual__2024-01-02T00:00:00+00:00"),
    ],
)
def test_dialect_two_stamps_the_logical_date_and_three_the_run_time(run_type, dialect, expected):
    assert generate_run_id(run_type, dialect, FIRST, SECOND) == expected


def test_microseconds_stand_in_the_id_only_where_there_are_some():
    at = FIRST.replace(microsecond=5)

    assert (
        generate_run_id(RunType.MANUAL, "3", at, at) == "manual__2024-01-01T00:00:00.000005+00:00"
    )


@pytest.mark.parametrize("run_type", [RunType.ASSET_TRIGGERED, RunType.MANUAL])
def test_eight_random_characters_tell_runs_apart_that_have_no_logical_date(run_type):
    ids = {generate_run_id(run_type, "3", None, SECOND) for _ in range(20)}

    assert len(ids) == 20
    assert all(
        re.fullmatch(rf"{run_type}__2024-01-02T00:00:00\+00:00_\w{{8}}", run_id) for run_id in ids
    )


@pytest.mark.parametrize(
    ("run_id", "run_type"),
    [
        ("scheduled__x", RunType.SCHEDULED),
        ("backfill__x", RunType.BACKFILL),
        ("dataset_triggered__x", RunType.ASSET_TRIGGERED),
        ("asset_triggered__x", RunType.ASSET_TRIGGERED),
        ("manual__x", RunType.MANUAL),
        ("mine", RunType.MANUAL),
        ("scheduled", RunType.MANUAL),
        ("a__b", RunType.MANUAL),
    ],
)
def test_the_prefix_tells_the_type(run_id, run_type):
    assert infer_run_type(run_id) is run_type


@pytest.mark.parametrize("run_id", ["scheduled__x", "backfill__x", "a b", "a..b", "", "a/b"])
def test_an_id_that_a_person_may_not_choose_is_refused(run_id):
    with pytest.raises(ValueError, match="run"):
        check_run_id(run_id, RunType.MANUAL, PATTERN)


@pytest.mark.parametrize("run_id", ["mine", "manual__2024-01-01T00:00:00+00:00", "a.b~c:1+2-3"])
def test_other_ids_may_be_chosen(run_id):
    check_run_id(run_id, RunType.MANUAL, PATTERN)


def test_ids_made_by_us_pass_a_pattern_that_forbids_them():
    check_run_id("manual__2024-01-01T00:00:00+00:00", RunType.MANUAL, "^only_this$")
