"""Deadline alerts as a DAG file declares them (semantics 10.5)."""

from datetime import UTC, datetime, timedelta

import pytest
from tradewind.planning.deadlines import RunTimes, deadline_at
from tradewind.sdk.dag import DAG
from tradewind.sdk.deadline import (
    AsyncCallback,
    BaseDeadlineReference,
    DeadlineAlert,
    DeadlineReference,
    SyncCallback,
    VariableInterval,
    deadline_reference,
)
from tradewind.sdk.serialize_dag import serialize

HOUR = timedelta(hours=1)
NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)


def tell(**kwargs):
    """Do nothing: what is called here is only named."""


def alert(reference, interval=HOUR):
    return DeadlineAlert(reference, interval, SyncCallback(tell))


def at(reference, *, interval=HOUR, logical_date=NOON, durations=()):
    dag = DAG("d", schedule=None, deadline=alert(reference, interval))
    [serialized] = serialize(dag, relative_fileloc="d.py").deadlines
    times = RunTimes(logical_date, NOON + HOUR, NOON + 2 * HOUR, durations)
    return deadline_at(serialized, times)


def test_a_deadline_is_its_reference_plus_the_interval():
    assert at(DeadlineReference.DAGRUN_LOGICAL_DATE) == NOON + HOUR
    assert at(DeadlineReference.DAGRUN_QUEUED_AT) == NOON + 2 * HOUR
    assert at(DeadlineReference.FIXED_DATETIME(NOON), interval=-HOUR) == NOON - HOUR


def test_a_run_without_logical_date_has_no_such_deadline():
    """Checkable example 10.6."""
    assert at(DeadlineReference.DAGRUN_LOGICAL_DATE, logical_date=None) is None


def test_the_mean_runtime_needs_enough_runs():
    mean = DeadlineReference.AVERAGE_RUNTIME(max_runs=3, min_runs=2)

    assert at(mean, durations=[100]) is None
    assert at(mean, durations=[100, 200]) == NOON + 3 * HOUR + timedelta(seconds=150)
    assert at(mean, durations=[100, 200, 300, 9999]) == NOON + 3 * HOUR + timedelta(seconds=200)
    assert at(DeadlineReference.AVERAGE_RUNTIME(), durations=[60] * 9) is None


def test_an_interval_may_be_a_variable(monkeypatch):
    monkeypatch.setenv("AIRFLOW_VAR_LATE", "90")

    assert at(
        DeadlineReference.DAGRUN_LOGICAL_DATE, interval=VariableInterval("late")
    ) == NOON + timedelta(seconds=90)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: AsyncCallback("no_dots"), "dotted path"),
        (lambda: SyncCallback(5), "cannot be called"),
        (lambda: SyncCallback(tell, {"context": 1}), "'context' is given"),
        (lambda: DeadlineAlert("x", HOUR, SyncCallback(tell)), "DeadlineReference"),
        (lambda: alert(DeadlineReference.DAGRUN_QUEUED_AT, 60), "timedelta"),
        (lambda: DeadlineAlert(DeadlineReference.DAGRUN_QUEUED_AT, HOUR, tell), "SyncCallback"),
        (lambda: DeadlineReference.AVERAGE_RUNTIME(2, 3), "min_runs"),
        (lambda: DAG("d", schedule=None, deadline=5), "'deadline' of DAG 'd'"),
    ],
)
def test_what_is_wrong_is_said(make, said):
    with pytest.raises((ValueError, TypeError), match=said):
        make()


def test_an_own_reference_is_refused_since_it_would_run_in_the_scheduler():
    with pytest.raises(TypeError, match="Mine would run in the scheduler"):

        @deadline_reference
        class Mine(BaseDeadlineReference):
            pass


def test_a_callback_knows_its_path():
    assert SyncCallback("a.b").path == "a.b"
    assert SyncCallback(tell).path.endswith("test_deadline.tell")
    assert SyncCallback("os.getpid").resolve() is __import__("os").getpid
