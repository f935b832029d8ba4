"""A task's own policy says what becomes of a failed try (semantics section 2.2, Airflow 3.3)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tradewind.operators.python import PythonOperator
from tradewind.sdk.retry_policy import (
    ExceptionRetryPolicy,
    RetryAction,
    RetryDecision,
    RetryPolicy,
    RetryRule,
)
from tradewind.sdk.timezone import utcnow

HOUR = timedelta(hours=1)


def failing(world, policy, error=None):
    def function():
        raise error or ConnectionResetError("gone")

    PythonOperator(
        task_id="a", python_callable=function, retries=3, retry_policy=policy, dag=world.dag
    )
    return world.run("a", tries_max=3)


def test_the_first_rule_that_matches_decides(world):
    policy = ExceptionRetryPolicy(
        [
            RetryRule(KeyError, RetryAction.FAIL),
            RetryRule(ConnectionError, retry_delay=HOUR, reason="busy"),
            RetryRule(ConnectionResetError, RetryAction.FAIL),
        ]
    )

    before = utcnow()
    result = failing(world, policy)

    assert result.outcome == "failed"
    assert timedelta() <= result.due_at - before - HOUR < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("rule", "outcome"),
    [
        (RetryRule("builtins.ConnectionError", RetryAction.FAIL), "failed_final"),
        (RetryRule("ConnectionResetError", RetryAction.FAIL), "failed_final"),
        (RetryRule(["KeyError", "OSError"], RetryAction.FAIL), "failed_final"),
        (RetryRule("nowhere.to.be.Found", RetryAction.FAIL), "failed"),
        (RetryRule(OSError, RetryAction.FAIL, match_subclasses=False), "failed"),
    ],
    ids=repr,
)
def test_a_rule_names_classes_or_their_paths(world, rule, outcome):
    assert failing(world, ExceptionRetryPolicy([rule])).outcome == outcome


def test_the_default_holds_where_no_rule_matches(world):
    policy = ExceptionRetryPolicy([], default=RetryAction.FAIL)

    assert failing(world, policy).outcome == "failed_final"


def test_a_policy_of_ones_own_sees_the_try_and_the_context(world):
    seen = []

    class Policy(RetryPolicy):
        def evaluate(self, exception, try_number, max_tries, context=None):
            seen.append((type(exception), try_number, max_tries, context["ds"]))
            return RetryDecision.fail("enough")

    assert failing(world, Policy()).outcome == "failed_final"
    assert seen == [(ConnectionResetError, 1, 3, "2024-03-05")]


class Raising(RetryPolicy):
    def evaluate(self, exception, try_number, max_tries, context=None):
        raise RuntimeError("wrong")


class Confused(RetryPolicy):
    def evaluate(self, exception, try_number, max_tries, context=None):
        return "retry"


@pytest.mark.parametrize("policy", [Raising(), Confused()], ids=lambda one: type(one).__name__)
def test_a_policy_that_is_wrong_itself_counts_as_none(world, policy):
    result = failing(world, policy)

    assert (result.outcome, result.due_at) == ("failed", None)


def test_a_rule_must_name_exceptions():
    with pytest.raises(TypeError, match="a RetryRule names exceptions, not 5"):
        RetryRule(5)
