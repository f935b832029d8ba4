from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tradewind.control import pause
from tradewind.control.forecast import next_runs
from tradewind.control.input import InvalidInput
from tradewind.sdk.timetables.registry import serialize_timetable
from tradewind.sdk.timetables.simple import ContinuousTimetable


def test_only_dags_that_change_are_returned_as_they_are_now(services, add_dag):
    add_dag("a1")
    add_dag("a2")
    services.store.dags.set_paused("a2", False, services.now(), "user:ada")

    found = pause.matching_dags(services, "a.", is_pattern=True)
    changed = pause.set_paused(services, found, is_paused=False)

    assert [(row.dag_id, row.is_paused) for row in changed] == [("a1", False)]


def test_a_pattern_that_is_none_is_refused(services):
    with pytest.raises(InvalidInput, match="is not a regular expression"):
        pause.matching_dags(services, "(", is_pattern=True)


@pytest.mark.parametrize(("catchup", "count"), [(True, 31), (False, 1)])
def test_unpausing_is_announced_with_the_number_of_runs_it_makes(services, add_dag, catchup, count):
    """Daily from May 1st; on June 1st at noon 31 intervals have ended."""
    add_dag(catchup=catchup)

    assert pause.count_catchup_runs(services, "sales") == count


def test_a_continuous_schedule_without_catchup_makes_one_run(services, add_dag):
    add_dag(timetable=serialize_timetable(ContinuousTimetable()), catchup=False)

    assert pause.count_catchup_runs(services, "sales") == 1


def test_the_next_runs_follow_the_timetable(services, add_dag):
    add_dag(catchup=False)

    runs = next_runs(services, "sales", 3)

    assert [run.logical_date for run in runs] == [
        datetime(2024, 5, 31, tzinfo=UTC),
        datetime(2024, 6, 1, tzinfo=UTC),
        datetime(2024, 6, 2, tzinfo=UTC),
    ]


def test_every_dag_is_listed_page_by_page(services, add_dag):
    for number in range(3):
        add_dag(f"d{number}")

    assert [row.dag_id for row in pause.all_dags(services)] == ["d0", "d1", "d2"]
