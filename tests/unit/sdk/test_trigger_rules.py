from itertools import product

import pytest
from tradewind.sdk.trigger_rules import (
    CLAUSES,
    TriggerRule,
    Upstream,
    Verdict,
    judge,
    resolve_trigger_rule,
)

PAIRS = ["SS", "SK", "SF", "SU", "KK", "KF", "KU", "FF", "FU", "UU"]

#: Pairs of upstream (S success, K skipped, F failed, U upstream_failed) and what follows
#: (s runs, k skipped, u upstream_failed); semantics 5.3, with KU known at once.
MATRIX = {
    "all_success": "s k u u k u u u u u",
    "all_failed": "k k k k k k k s s s",
    "all_done": "s s s s s s s s s s",
    "all_done_setup_success": "s s s s s s s s s s",
    "always": "s s s s s s s s s s",
    "one_success": "s s s s k u u u u u",
    "one_failed": "k k s s k s s s s s",
    "one_done": "s s s s k s k s s k",
    "none_failed": "s s u u s u u u u u",
    "none_failed_min_one_success": "s s u u k u u u u u",
    "none_skipped": "s k s s k k k s s s",
    "all_skipped": "k k k k s k k k k k",
    "all_done_min_one_success": "s k s s k k k u u u",
}
VERDICTS = {"s": Verdict.RUN, "k": Verdict.SKIP, "u": Verdict.UPSTREAM_FAILED}
FIELDS = {"S": "success", "K": "skipped", "F": "failed", "U": "upstream_failed", "R": "removed"}


def upstream(ends: str, waiting: int = 0) -> Upstream:
    counts = {field: ends.count(letter) for letter, field in FIELDS.items()}
    return Upstream(total=len(ends) + waiting, **counts)


@pytest.mark.parametrize("rule", TriggerRule)
def test_example_5_1_a_rule_answers_every_pair_of_upstream_as_airflow_does(rule):
    answers = [judge(rule, upstream(pair)) for pair in PAIRS]

    assert answers == [VERDICTS[letter] for letter in MATRIX[rule].split()]


@pytest.mark.parametrize("rule", TriggerRule)
def test_a_rule_always_answers_once_all_upstream_is_finished(rule):
    for size in range(4):
        for ends in product("SKFUR", repeat=size):
            assert judge(rule, upstream("".join(ends))) is not Verdict.WAIT


@pytest.mark.parametrize("rule", TriggerRule)
def test_a_task_without_upstream_runs(rule):
    assert judge(rule, Upstream(total=0)) is Verdict.RUN


@pytest.mark.parametrize(
    ("rule", "ends", "expected"),
    [
        ("all_success", "S", Verdict.WAIT),
        ("all_success", "F", Verdict.UPSTREAM_FAILED),
        ("all_success", "K", Verdict.SKIP),
        ("all_failed", "S", Verdict.SKIP),
        ("all_failed", "F", Verdict.WAIT),
        ("all_done", "SKF", Verdict.WAIT),
        ("all_done_setup_success", "SKF", Verdict.WAIT),
        ("all_done_min_one_success", "K", Verdict.SKIP),
        ("all_done_min_one_success", "F", Verdict.WAIT),
        ("one_success", "S", Verdict.RUN),
        ("one_success", "FK", Verdict.WAIT),
        ("one_failed", "U", Verdict.RUN),
        ("one_failed", "SK", Verdict.WAIT),
        ("one_done", "F", Verdict.RUN),
        ("one_done", "UK", Verdict.WAIT),
        ("none_failed", "F", Verdict.UPSTREAM_FAILED),
        ("none_failed", "SK", Verdict.WAIT),
        ("none_failed_min_one_success", "U", Verdict.UPSTREAM_FAILED),
        ("none_failed_min_one_success", "S", Verdict.WAIT),
        ("none_skipped", "K", Verdict.SKIP),
        ("none_skipped", "F", Verdict.WAIT),
        ("always", "", Verdict.RUN),
        ("all_skipped", "S", Verdict.SKIP),
        ("all_skipped", "K", Verdict.WAIT),
    ],
)
def test_a_rule_answers_early_only_where_one_end_settles_it(rule, ends, expected):
    """One more upstream is still running."""
    assert judge(TriggerRule(rule), upstream(ends, waiting=1)) is expected


def test_an_index_beyond_its_shortened_upstream_is_removed():
    shortened = {"total": 3, "success": 2, "removed": 1}

    assert judge(TriggerRule.ALL_SUCCESS, Upstream(**shortened, map_index=2)) is Verdict.REMOVE
    assert judge(TriggerRule.ALL_SUCCESS, Upstream(**shortened, map_index=1)) is Verdict.RUN
    assert judge(TriggerRule.ALL_SUCCESS, Upstream(**shortened)) is Verdict.RUN


@pytest.mark.parametrize(
    ("success", "skipped", "expected"),
    [
        (0, 2, Verdict.SKIP),
        (1, 0, Verdict.RUN),
        (0, 1, Verdict.UPSTREAM_FAILED),
        (2, 0, Verdict.RUN),
    ],
)
def test_a_teardown_asks_its_setups(success, skipped, expected):
    counts = Upstream(
        total=3, success=3, setup_total=2, setup_success=success, setup_skipped=skipped
    )

    assert judge(TriggerRule.ALL_DONE_SETUP_SUCCESS, counts) is expected


def test_every_rule_has_a_row():
    assert set(CLAUSES) == set(TriggerRule)


def test_legacy_names_are_rules_of_airflow_2_only():
    assert resolve_trigger_rule("dummy") is TriggerRule.ALWAYS
    legacy = resolve_trigger_rule("none_failed_or_skipped")
    assert legacy is TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS
    with pytest.raises(ValueError, match="dummy"):
        resolve_trigger_rule("dummy", is_legacy_allowed=False)


def test_an_unknown_rule_is_refused_with_the_list_of_rules():
    with pytest.raises(ValueError, match=r"all_done, .*one_success"):
        resolve_trigger_rule("sometimes")
