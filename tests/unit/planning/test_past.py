from datetime import timedelta

import pytest
from planning_runs import NOW, S, task
from tradewind.planning.past import PreviousRun, judge_past
from tradewind.planning.snapshot import Past

TASK = task("a", depends_on_past=True)
YESTERDAY = NOW - timedelta(days=1)


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([S.SUCCESS], Past.CLEAR),
        ([S.SKIPPED], Past.CLEAR),
        ([S.RUNNING], Past.WAITING),
        ([S.UP_FOR_RETRY], Past.WAITING),
        ([S.FAILED], Past.BLOCKED),
        ([S.UPSTREAM_FAILED], Past.BLOCKED),
        ([S.SUCCESS, S.NONE], Past.WAITING),
        ([], Past.BLOCKED),
    ],
)
def test_all_instances_of_the_previous_run_have_to_be_good(states, expected):
    assert judge_past(TASK, PreviousRun(YESTERDAY, states), is_catchup=False) is expected


def test_the_first_run_has_no_past():
    assert judge_past(TASK, None, is_catchup=False) is Past.CLEAR


def test_the_first_run_of_a_backfill_has_no_past():
    previous = PreviousRun(YESTERDAY, [S.FAILED])

    verdict = judge_past(TASK, previous, is_catchup=False, is_first_of_backfill=True)

    assert verdict is Past.CLEAR


def test_with_catchup_a_run_before_the_start_of_the_task_does_not_count():
    late = task("a", depends_on_past=True, start_at=NOW)
    previous = PreviousRun(YESTERDAY, [])

    assert judge_past(late, previous, is_catchup=True) is Past.CLEAR
    assert judge_past(late, previous, is_catchup=False) is Past.BLOCKED


def test_a_task_that_never_ran_may_ignore_its_missing_past():
    new = task("a", depends_on_past=True, ignore_first_depends_on_past=True)

    never = PreviousRun(YESTERDAY, [], has_earlier_instance=False)
    once = PreviousRun(YESTERDAY, [], has_earlier_instance=True)

    assert judge_past(new, never, is_catchup=False) is Past.CLEAR
    assert judge_past(new, once, is_catchup=False) is Past.BLOCKED


def test_wait_for_downstream_asks_the_direct_downstream_too():
    patient = task("a", depends_on_past=True, wait_for_downstream=True)
    previous = PreviousRun(YESTERDAY, [S.SUCCESS], downstream_states=[S.RUNNING])

    assert judge_past(patient, previous, is_catchup=False) is Past.WAITING
    assert judge_past(TASK, previous, is_catchup=False) is Past.CLEAR
