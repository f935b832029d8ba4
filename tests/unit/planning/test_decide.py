from datetime import timedelta

import pytest
from planning_runs import NOW, S, moves, over_literal, over_xcom, snapshot, structure, task
from tradewind.planning.decide import decide
from tradewind.planning.snapshot import MappedExpansion, Past, RunTransition, SkipMark
from tradewind.sdk.serialized import SerializedGroup
from tradewind.sdk.states import FINISHED, DagRunState

A_B_C = (task("a"), task("b", "a"), task("c", "b"))


def test_a_task_without_upstream_is_scheduled_and_uses_a_try():
    decision = decide(snapshot(structure(task("a")), {"a": S.NONE}), NOW)

    (transition,) = decision.transitions
    assert (transition.new, transition.is_new_try) == (S.SCHEDULED, True)


def test_a_skip_reaches_everything_below_in_one_pass_and_ends_the_run():
    run = snapshot(structure(*A_B_C), {"a": S.SKIPPED, "b": S.NONE, "c": S.NONE})

    decision = decide(run, NOW)

    assert moves(decision) == {"b": S.SKIPPED, "c": S.SKIPPED}
    assert decision.run == RunTransition(DagRunState.SUCCESS, "success")


def test_a_failure_reaches_everything_below_and_names_its_origin():
    run = snapshot(structure(*A_B_C), {"a": S.FAILED, "b": S.NONE, "c": S.NONE})

    decision = decide(run, NOW)

    assert moves(decision) == {"b": S.UPSTREAM_FAILED, "c": S.UPSTREAM_FAILED}
    assert decision.transitions[0].reason == "trigger rule all_success: a is failed"
    assert decision.run == RunTransition(DagRunState.FAILED, "task_failure")


def test_failure_wins_over_skip_where_both_are_known_at_once():
    dag = structure(task("a"), task("b"), task("c", "a", "b"))

    decision = decide(snapshot(dag, {"a": S.SKIPPED, "b": S.UPSTREAM_FAILED, "c": S.NONE}), NOW)

    assert moves(decision) == {"c": S.UPSTREAM_FAILED}


def test_empty_tasks_succeed_without_a_process_through_the_whole_chain():
    dag = structure(task("a", is_empty=True), task("b", "a", is_empty=True), task("c", "b"))

    decision = decide(snapshot(dag, {"a": S.NONE, "b": S.NONE, "c": S.NONE}), NOW)

    assert moves(decision) == {"a": S.SUCCESS, "b": S.SUCCESS, "c": S.SCHEDULED}
    assert all(transition.is_new_try for transition in decision.transitions)


@pytest.mark.parametrize("state", [DagRunState.QUEUED, DagRunState.SUCCESS, DagRunState.FAILED])
def test_a_run_that_is_not_running_is_left_alone(state):
    decision = decide(snapshot(structure(task("a")), {"a": S.NONE}, state=state), NOW)

    assert decision.transitions == ()
    assert decision.run is None


def test_an_empty_answer_follows_once_everything_is_on_its_way():
    run = snapshot(structure(*A_B_C), {"a": S.RUNNING, "b": S.NONE, "c": S.NONE})

    decision = decide(run, NOW)

    assert not decision.transitions
    assert decision.run is None


def test_no_finished_state_is_ever_moved():
    for one in FINISHED:
        for other in FINISHED:
            dag = structure(*A_B_C)
            run = snapshot(dag, {"a": one, "b": other, "c": S.NONE})
            assert {t.task_id for t in decide(run, NOW).transitions} <= {"c"}


def test_a_failed_task_with_a_succeeding_all_done_leaf_is_a_successful_run():
    dag = structure(task("a"), task("b", "a", trigger_rule="all_done"))

    decision = decide(snapshot(dag, {"a": S.FAILED, "b": S.SUCCESS}), NOW)

    assert decision.run == RunTransition(DagRunState.SUCCESS, "success")


def test_a_failed_leaf_does_not_end_the_run_while_another_task_runs():
    dag = structure(task("a"), task("b"))

    assert decide(snapshot(dag, {"a": S.FAILED, "b": S.RUNNING}), NOW).run is None


def test_a_retry_runs_strictly_after_its_due_time():
    due_at = NOW + timedelta(seconds=10)
    run = snapshot(
        structure(task("a")),
        {"a": S.UP_FOR_RETRY},
        instance_fields={"a": {"due_at": due_at, "try_number": 1}},
    )

    early = decide(run, due_at)
    late = decide(run, early.wake_at)

    assert not early.transitions
    assert early.wake_at > due_at
    assert moves(late) == {"a": S.SCHEDULED}
    assert late.transitions[0].is_new_try


def test_a_reschedule_goes_on_at_its_due_time_in_the_same_try():
    run = snapshot(
        structure(task("a")),
        {"a": S.UP_FOR_RESCHEDULE},
        instance_fields={"a": {"due_at": NOW}},
    )

    decision = decide(run, NOW)

    assert moves(decision) == {"a": S.SCHEDULED}
    assert not decision.transitions[0].is_new_try


def test_a_run_over_its_timeout_fails_and_skips_what_is_unfinished():
    """Checkable example 5.9."""
    dag = structure(*A_B_C, dagrun_timeout_s=60.0)
    run = snapshot(
        dag,
        {"a": S.SUCCESS, "b": S.RUNNING, "c": S.NONE},
        started_at=NOW - timedelta(seconds=61),
    )

    decision = decide(run, NOW)

    assert moves(decision) == {"b": S.SKIPPED, "c": S.SKIPPED}
    assert decision.run == RunTransition(DagRunState.FAILED, "timed_out")


def test_the_run_timeout_is_a_time_to_wake_at():
    run = snapshot(structure(task("a"), dagrun_timeout_s=60.0), {"a": S.RUNNING})

    assert decide(run, NOW).wake_at == NOW + timedelta(seconds=60, microseconds=1)


def test_a_run_in_which_nothing_can_ever_move_fails_as_deadlocked():
    """b's upstream was not due in this run, so b can never start."""
    dag = structure(task("a"), task("b", "a"))

    decision = decide(snapshot(dag, {"b": S.NONE}), NOW)

    assert decision.run == RunTransition(DagRunState.FAILED, "all_tasks_deadlocked")


def test_a_deadlock_is_seen_in_the_pass_that_makes_the_last_move():
    dag = structure(task("gone"), task("stuck", "gone"), task("a"), task("b", "a"))
    run = snapshot(dag, {"stuck": S.NONE, "a": S.SKIPPED, "b": S.NONE})

    decision = decide(run, NOW)

    assert moves(decision) == {"b": S.SKIPPED}
    assert decision.run.reason == "all_tasks_deadlocked"


def test_what_waits_of_a_task_that_is_gone_is_removed_and_what_runs_may_end():
    dag = structure(task("a"))
    waiting = snapshot(dag, {"a": S.SUCCESS, "old": S.SCHEDULED})
    running = snapshot(dag, {"a": S.SUCCESS, "old": S.RUNNING})

    removing = decide(waiting, NOW)

    assert moves(removing) == {"old": S.REMOVED}
    assert removing.run == RunTransition(DagRunState.SUCCESS, "success")
    assert decide(running, NOW).run is None


@pytest.mark.parametrize("past", [Past.WAITING, Past.BLOCKED])
def test_a_task_that_waits_for_its_past_is_no_deadlock(past):
    dag = structure(task("a", depends_on_past=True), task("b", "a"))

    decision = decide(snapshot(dag, {"a": S.NONE, "b": S.NONE}, past={"a": past}), NOW)

    assert not decision.transitions
    assert decision.run is None


def test_a_clear_past_lets_the_task_run():
    dag = structure(task("a", depends_on_past=True))

    decision = decide(snapshot(dag, {"a": S.NONE}, past={"a": Past.CLEAR}), NOW)

    assert moves(decision) == {"a": S.SCHEDULED}


def test_a_skip_waits_for_the_past_only_where_the_task_says_so():
    def below(**fields):
        dag = structure(task("a"), task("b", "a", depends_on_past=True, **fields))
        states = {"a": S.SKIPPED, "b": S.NONE}
        return decide(snapshot(dag, states, past={"b": Past.WAITING}), NOW)

    assert moves(below()) == {"b": S.SKIPPED}
    assert moves(below(wait_for_past_depends_before_skipping=True)) == {}


def test_fail_fast_skips_all_that_is_unfinished_but_teardowns():
    dag = structure(
        task("s", is_setup=True),
        task("f", "s"),
        task("r", "s"),
        task("q", "s"),
        task("t", "f", "r", "q", "s", is_teardown=True, trigger_rule="all_done_setup_success"),
        is_fail_fast=True,
    )
    states = {"s": S.SUCCESS, "f": S.FAILED, "r": S.RUNNING, "q": S.QUEUED, "t": S.NONE}

    decision = decide(snapshot(dag, states), NOW)

    assert moves(decision) == {"r": S.FAILED, "q": S.SKIPPED, "t": S.SCHEDULED}


def test_fail_fast_forgets_a_failure_from_before_the_run_was_started_again():
    dag = structure(task("f"), task("a"), is_fail_fast=True)
    run = snapshot(
        dag,
        {"f": S.FAILED, "a": S.NONE},
        instance_fields={"f": {"ended_at": NOW - timedelta(seconds=1)}},
    )

    assert moves(decide(run, NOW)) == {"a": S.SCHEDULED}


def test_fail_fast_waits_for_retries():
    dag = structure(task("f"), task("a"), is_fail_fast=True)
    run = snapshot(dag, {"f": S.UP_FOR_RETRY, "a": S.NONE})

    assert S.SKIPPED not in moves(decide(run, NOW)).values()


BRANCH = (task("br", can_skip_downstream=True), task("x", "br"), task("y", "br"))


def test_a_cleared_leaf_that_its_branch_did_not_follow_is_skipped_again():
    run = snapshot(
        structure(*BRANCH),
        {"br": S.SUCCESS, "x": S.NONE, "y": S.NONE},
        skip_marks={("br", -1): SkipMark(followed=frozenset({"x"}))},
    )

    assert moves(decide(run, NOW)) == {"x": S.SCHEDULED, "y": S.SKIPPED}


def test_a_mark_of_a_branch_that_runs_again_says_nothing():
    run = snapshot(
        structure(*BRANCH),
        {"br": S.RUNNING, "x": S.NONE, "y": S.NONE},
        skip_marks={("br", -1): SkipMark(followed=frozenset({"x"}))},
    )

    assert moves(decide(run, NOW)) == {}


def test_a_short_circuit_names_what_it_skips():
    run = snapshot(
        structure(*BRANCH),
        {"br": S.SUCCESS, "x": S.NONE, "y": S.NONE},
        skip_marks={("br", -1): SkipMark(skipped=frozenset({"x"}))},
    )

    assert moves(decide(run, NOW)) == {"x": S.SKIPPED, "y": S.SCHEDULED}


def test_a_branch_that_has_not_spoken_holds_back_upstream_failed():
    dag = structure(*BRANCH, task("f"), task("j", "br", "f"))
    waiting = {"br": S.RUNNING, "x": S.NONE, "y": S.NONE, "f": S.FAILED, "j": S.NONE}

    assert moves(decide(snapshot(dag, waiting), NOW)) == {}
    assert moves(decide(snapshot(dag, waiting | {"br": S.SUCCESS}), NOW))["j"] == S.UPSTREAM_FAILED


def test_a_branch_that_has_not_spoken_holds_back_a_mapped_task_too():
    dag = structure(*BRANCH, task("f"), task("j", "br", "f", expansion=over_xcom("f")))
    waiting = {"br": S.RUNNING, "x": S.NONE, "y": S.NONE, "f": S.FAILED, "j": S.NONE}

    assert moves(decide(snapshot(dag, waiting), NOW)) == {}
    assert moves(decide(snapshot(dag, waiting | {"br": S.SUCCESS}), NOW))["j"] == S.UPSTREAM_FAILED


GROUP_BRANCH = structure(
    task("g.br", group_id="g", can_skip_downstream=True),
    task("g.x", "g.br", group_id="g"),
    groups=[SerializedGroup("g", expansion=over_literal(2))],
)


def test_a_branch_in_a_mapped_group_speaks_for_its_own_index():
    run = snapshot(
        GROUP_BRANCH,
        {"g.br": [S.SUCCESS, S.SUCCESS], "g.x": [S.NONE, S.NONE]},
        skip_marks={
            ("g.br", 0): SkipMark(followed=frozenset()),
            ("g.br", 1): SkipMark(followed=frozenset({"g.x"})),
        },
    )

    assert moves(decide(run, NOW)) == {"g.x[0]": S.SKIPPED, "g.x[1]": S.SCHEDULED}


SETUP_WORK_TEARDOWN = structure(
    task("s", is_setup=True),
    task("w", "s"),
    task("w2", "w"),
    task("t", "w2", "s", is_teardown=True, trigger_rule="all_done_setup_success"),
)


@pytest.mark.parametrize(
    ("setup", "expected"),
    [(S.FAILED, S.UPSTREAM_FAILED), (S.SKIPPED, S.SKIPPED)],
)
def test_work_and_teardown_follow_a_setup_that_did_not_succeed(setup, expected):
    """Checkable example 5.6."""
    states = {"s": setup, "w": S.NONE, "w2": S.NONE, "t": S.NONE}

    decision = decide(snapshot(SETUP_WORK_TEARDOWN, states), NOW)

    assert moves(decision) == {"w": expected, "w2": expected, "t": expected}


def test_a_teardown_runs_after_failed_work_and_does_not_decide_the_run():
    states = {"s": S.SUCCESS, "w": S.FAILED, "w2": S.UPSTREAM_FAILED, "t": S.NONE}
    assert moves(decide(snapshot(SETUP_WORK_TEARDOWN, states), NOW)) == {"t": S.SCHEDULED}

    ended = states | {"w": S.SUCCESS, "w2": S.SUCCESS, "t": S.FAILED}
    assert decide(snapshot(SETUP_WORK_TEARDOWN, ended), NOW).run.new is DagRunState.SUCCESS


def test_an_indirect_setup_that_failed_stops_a_task_whatever_its_own_rule():
    dag = structure(
        task("s", is_setup=True),
        task("w", "s", trigger_rule="all_done"),
        task("w2", "w", trigger_rule="all_done"),
        task("t", "w2", "s", is_teardown=True, trigger_rule="all_done_setup_success"),
    )
    states = {"s": S.FAILED, "w": S.SUCCESS, "w2": S.NONE, "t": S.NONE}

    assert moves(decide(snapshot(dag, states), NOW))["w2"] is S.UPSTREAM_FAILED


def test_a_teardown_waits_for_all_tasks_between_its_setup_and_itself():
    dag = structure(
        task("s", is_setup=True),
        task("w", "s"),
        task("slow", "s"),
        task("after", "slow", "w", trigger_rule="one_success"),
        task("t", "after", "s", is_teardown=True, trigger_rule="all_done_setup_success"),
    )
    states = {"s": S.SUCCESS, "w": S.SUCCESS, "slow": S.RUNNING, "after": S.SUCCESS, "t": S.NONE}

    assert moves(decide(snapshot(dag, states), NOW)) == {}
    assert moves(decide(snapshot(dag, states | {"slow": S.FAILED}), NOW)) == {"t": S.SCHEDULED}


MAPPED = structure(task("lst"), task("m", "lst", expansion=over_xcom("lst")), task("end", "m"))


def test_a_mapped_task_grows_once_its_length_is_known():
    run = snapshot(
        MAPPED,
        {"lst": S.SUCCESS, "m": S.NONE, "end": S.NONE},
        xcom_lengths={"lst": {-1: 3}},
    )

    decision = decide(run, NOW)

    assert decision.expansions == [MappedExpansion("m", 3, "there are 3 to map")]
    assert not decision.transitions
    assert decision.run is None


def test_the_instances_of_a_mapped_task_are_scheduled_by_the_next_call():
    run = snapshot(
        MAPPED,
        {"lst": S.SUCCESS, "m": [S.NONE] * 3, "end": S.NONE},
        xcom_lengths={"lst": {-1: 3}},
    )

    decision = decide(run, NOW)

    assert moves(decision) == {f"m[{n}]": S.SCHEDULED for n in range(3)}
    assert not decision.expansions


@pytest.mark.parametrize(
    ("lst", "lengths", "expected"),
    [
        (S.SUCCESS, {-1: 0}, S.SKIPPED),
        (S.SUCCESS, {}, S.UPSTREAM_FAILED),
        (S.FAILED, {}, S.UPSTREAM_FAILED),
        (S.UPSTREAM_FAILED, {}, S.UPSTREAM_FAILED),
        (S.SKIPPED, {}, S.SKIPPED),
    ],
)
def test_a_placeholder_without_anything_to_map_ends_as_it_is(lst, lengths, expected):
    run = snapshot(MAPPED, {"lst": lst, "m": S.NONE, "end": S.NONE}, xcom_lengths={"lst": lengths})

    assert moves(decide(run, NOW)) == {"m": expected, "end": expected}


def test_a_mapped_task_needs_what_it_maps_whatever_its_trigger_rule():
    dag = structure(
        task("lst"), task("m", "lst", trigger_rule="all_done", expansion=over_xcom("lst"))
    )

    assert moves(decide(snapshot(dag, {"lst": S.SKIPPED, "m": S.NONE}), NOW)) == {"m": S.SKIPPED}


@pytest.mark.parametrize(
    ("above", "below"),
    [(S.SKIPPED, S.SKIPPED), (S.FAILED, S.UPSTREAM_FAILED), (S.RUNNING, None)],
)
def test_instances_of_an_earlier_running_need_what_they_are_mapped_over_too(above, below):
    dag = structure(task("a"), task("m", "a", trigger_rule="all_done", expansion=over_xcom("a")))

    decision = decide(snapshot(dag, {"a": above, "m": [S.NONE, S.NONE]}), NOW)

    assert moves(decision) == ({} if below is None else {"m[0]": below, "m[1]": below})


def test_mapping_over_a_mapped_task_counts_the_values_that_were_pushed():
    dag = structure(
        task("m", expansion=over_literal(3)),
        task("n", "m", trigger_rule="none_failed", expansion=over_xcom("m")),
    )
    states = {"m": [S.SUCCESS, S.SKIPPED, S.SUCCESS], "n": S.NONE}

    decision = decide(snapshot(dag, states, xcom_lengths={"m": {0: -1, 2: 4}}), NOW)

    assert [one.length for one in decision.expansions] == [2]


def test_a_cleared_mapped_task_gets_the_missing_instances():
    run = snapshot(
        MAPPED,
        {"lst": S.SUCCESS, "m": [S.NONE] * 2, "end": S.NONE},
        xcom_lengths={"lst": {-1: 4}},
    )

    decision = decide(run, NOW)

    assert [one.length for one in decision.expansions] == [4]
    assert moves(decision) == {"m[0]": S.SCHEDULED, "m[1]": S.SCHEDULED}


def test_a_cleared_mapped_task_loses_surplus_instances_and_gets_them_back():
    states = {"lst": S.SUCCESS, "m": [S.NONE] * 3, "end": S.NONE}
    fewer = decide(snapshot(MAPPED, states, xcom_lengths={"lst": {-1: 1}}), NOW)
    assert moves(fewer) == {"m[0]": S.SCHEDULED, "m[1]": S.REMOVED, "m[2]": S.REMOVED}

    states = {"lst": S.SUCCESS, "m": [S.NONE, S.REMOVED, S.REMOVED], "end": S.NONE}
    more = decide(snapshot(MAPPED, states, xcom_lengths={"lst": {-1: 2}}), NOW)
    assert moves(more) == {"m[0]": S.SCHEDULED, "m[1]": S.NONE}


GROUP = structure(
    task("lst"),
    task("g.a", "lst", group_id="g"),
    task("g.b", "g.a", group_id="g"),
    task("end", "g.b"),
    groups=[SerializedGroup("g", expansion=over_xcom("lst"))],
)


def test_all_tasks_of_a_mapped_group_grow_in_one_pass():
    run = snapshot(
        GROUP,
        {"lst": S.SUCCESS, "g.a": S.NONE, "g.b": S.NONE, "end": S.NONE},
        xcom_lengths={"lst": {-1: 2}},
    )

    assert [one.task_id for one in decide(run, NOW).expansions] == ["g.a", "g.b"]


def test_inside_a_mapped_group_only_the_same_index_counts():
    run = snapshot(
        GROUP,
        {
            "lst": S.SUCCESS,
            "g.a": [S.SKIPPED, S.SUCCESS],
            "g.b": [S.NONE, S.NONE],
            "end": S.NONE,
        },
        xcom_lengths={"lst": {-1: 2}},
    )

    assert moves(decide(run, NOW)) == {
        "g.b[0]": S.SKIPPED,
        "g.b[1]": S.SCHEDULED,
        "end": S.SKIPPED,
    }


def test_an_empty_mapped_group_is_skipped_with_what_follows_it():
    run = snapshot(
        GROUP,
        {"lst": S.SUCCESS, "g.a": S.NONE, "g.b": S.NONE, "end": S.NONE},
        xcom_lengths={"lst": {-1: 0}},
    )

    decision = decide(run, NOW)

    assert moves(decision) == {"g.a": S.SKIPPED, "g.b": S.SKIPPED, "end": S.SKIPPED}
    assert decision.run.new is DagRunState.SUCCESS


def test_a_rule_that_needs_one_waits_for_one_inside_a_group_not_yet_expanded():
    dag = structure(
        task("lst"),
        task("g.a", "lst", group_id="g"),
        task("g.b", "g.a", group_id="g", trigger_rule="one_success"),
        groups=[SerializedGroup("g", expansion=over_xcom("lst"))],
    )
    lengths = {"lst": {-1: 2}}
    states = {"lst": S.SUCCESS, "g.a": [S.RUNNING, S.RUNNING], "g.b": S.NONE}

    waiting = decide(snapshot(dag, states, xcom_lengths=lengths), NOW)
    states["g.a"] = [S.RUNNING, S.SUCCESS]
    growing = decide(snapshot(dag, states, xcom_lengths=lengths), NOW)

    assert not waiting.expansions
    assert [one.task_id for one in growing.expansions] == ["g.b"]


def test_a_consumer_outside_counts_every_instance_of_a_mapped_task():
    dag = structure(task("m", expansion=over_literal(2)), task("end", "m"))

    assert moves(decide(snapshot(dag, {"m": [S.SUCCESS, S.RUNNING], "end": S.NONE}), NOW)) == {}
    assert moves(decide(snapshot(dag, {"m": [S.SUCCESS, S.FAILED], "end": S.NONE}), NOW)) == {
        "end": S.UPSTREAM_FAILED
    }
