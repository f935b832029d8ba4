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


def test_example_10_6_a_run_without_logical_date_has_no_such_deadline():
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


@pytest.fixture
def own(monkeypatch):
    """A reference of a person's own, forgotten afterwards."""

    @deadline_reference
    class Noon(BaseDeadlineReference):
        required_kwargs = frozenset({"run_id"})

        def _evaluate_with(self, *, session=None, run_id):
            if run_id == "free":
                return None
            return datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(hours=int(run_id))

    yield Noon
    del DeadlineReference.Noon


def test_an_own_reference_is_known_by_its_name_and_told_what_it_wants(own):
    assert isinstance(DeadlineReference.Noon, own)
    known = {"dag_id": "d", "interval": timedelta(minutes=5)}

    assert DeadlineReference.Noon.evaluate_with(run_id="2", **known) == datetime(
        2026, 1, 1, 14, 5, tzinfo=UTC
    )
    assert DeadlineReference.Noon.evaluate_with(run_id="free", **known) is None
    with pytest.raises(ValueError, match="Noon wants run_id, but only dag_id can be given"):
        DeadlineReference.Noon.evaluate_with(**known)


def test_an_own_reference_says_whether_a_clear_asks_it_again(own):
    types = DeadlineReference.TYPES
    kinds = []
    for when in (None, types.DAGRUN_CREATED, types.DAGRUN_QUEUED):
        dag = DAG("d", schedule=None, deadline=alert(deadline_reference(when)(own)()))
        (serialized,) = serialize(dag, relative_fileloc="d.py").deadlines
        kinds.append((serialized.kind, serialized.interval_s))

    assert kinds == [("own", 3600.0), ("own", 3600.0), ("own_of_queueing", 3600.0)]


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (type("Empty", (BaseDeadlineReference,), {}), "Empty must define _evaluate_with"),
        (int, "is a BaseDeadlineReference, not <class 'int'>"),
    ],
)
def test_a_class_that_is_no_reference_is_refused(made, said):
    with pytest.raises(TypeError, match=said):
        deadline_reference(made)


def test_a_callback_knows_its_path():
    assert SyncCallback("a.b").path == "a.b"
    assert SyncCallback(tell).path.endswith("test_deadline.tell")
    assert SyncCallback("os.getpid").resolve() is __import__("os").getpid
