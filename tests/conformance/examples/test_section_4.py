"""Checkable examples 4: schedules. The rows of 4.4 and 4.5 stand in unit/timetables/, 4.5 (the
condition of assets) in unit/scheduler/test_create_asset_runs.py.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tradewind.operators.empty import EmptyOperator
from tradewind.planning.expand import initial_instances
from tradewind.planning.plan_runs import manual_run, plan_runs
from tradewind.planning.run_ids import check_run_id
from tradewind.planning.structure import DagStructure
from tradewind.sdk.exceptions import AirflowTimetableInvalid
from tradewind.sdk.serialize_dag import serialize
from tradewind.sdk.states import RunType

START = datetime(2024, 1, 1, tzinfo=UTC)
PATTERN = r"^[A-Za-z0-9_.~:+-]+$"


def test_example_4_1_presets_and_wrong_texts(make_dag):
    make_dag(start_date=START, schedule="@annually").validate()
    wrong = make_dag(start_date=START, schedule="99 * * * *")
    with pytest.raises(AirflowTimetableInvalid):
        wrong.validate()


def test_example_4_2_a_timedelta(make_dag, monkeypatch):
    def kind():
        return type(make_dag(start_date=START, schedule=timedelta(hours=1)).timetable).__name__

    assert kind() == "DeltaTriggerTimetable"
    monkeypatch.setenv("AIRFLOW__SCHEDULER__CREATE_CRON_DATA_INTERVALS", "True")
    assert kind() == "DeltaDataIntervalTimetable"


@pytest.mark.parametrize(
    ("dialect", "makes_intervals", "run_id", "logical_date"),
    [
        ("2", None, "scheduled__2024-01-01T00:00:00+00:00", START),
        ("3", "True", "scheduled__2024-01-02T00:00:00+00:00", START),
        ("3", None, "scheduled__2024-01-01T00:00:00+00:00", START),
    ],
)
def test_example_4_3_run_ids(make_dag, monkeypatch, dialect, makes_intervals, run_id, logical_date):
    if makes_intervals:
        monkeypatch.setenv("AIRFLOW__SCHEDULER__CREATE_CRON_DATA_INTERVALS", makes_intervals)
    dag = make_dag(dialect=dialect, start_date=START, schedule="@daily", catchup=True)

    first = plan_first(dag)

    assert (first.run_id, first.logical_date) == (run_id, logical_date)


def plan_first(dag):
    serialized = serialize(dag, relative_fileloc="d.py")
    return next(plan_runs(serialized, dag.timetable, None, datetime(2024, 1, 5, tzinfo=UTC)))


@pytest.mark.parametrize("run_id", ["scheduled__x", "a b", "a..b"])
def test_example_4_4_ids_that_are_refused(run_id):
    with pytest.raises(ValueError, match="run"):
        check_run_id(run_id, RunType.MANUAL, PATTERN)


def test_example_4_6_a_task_that_starts_later(make_dag):
    with make_dag(schedule="@daily", start_date=START) as dag:
        EmptyOperator(task_id="t", start_date=datetime(2024, 2, 1, tzinfo=UTC))
    structure = DagStructure.from_serialized(serialize(dag, relative_fileloc="d.py"))
    date = datetime(2024, 1, 15, tzinfo=UTC)

    assert list(initial_instances(structure, RunType.SCHEDULED, date)) == []
    assert list(initial_instances(structure, RunType.BACKFILL, date)) == [("t", -1)]


def test_example_4_7_a_run_before_the_start_date(make_dag):
    dag = make_dag(schedule=None, default_args={"start_date": START})
    with pytest.raises(ValueError, match="start"):
        manual_run(
            serialize(dag, relative_fileloc="d.py"),
            None,
            datetime(2024, 3, 1, tzinfo=UTC),
            logical_date=datetime(2023, 12, 31, tzinfo=UTC),
        )
