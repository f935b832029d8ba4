"""Rows of 9.1 and 9.2 that need other runs: what ``ti`` knows of them, and the dates beside."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime

import pytest
from real_tasks import execute
from tradewind.control.trigger import trigger_dag
from tradewind.operators.python import PythonOperator
from tradewind.sdk.exceptions import AirflowSkipException
from tradewind.sdk.task_group import TaskGroup


def day(number):
    return datetime(2024, 1, number, tzinfo=UTC)


@pytest.fixture
def seen():
    """What ``look`` has returned last."""
    return {}


@pytest.fixture
def dag(world, make_dag, seen):
    """``g.a``, ``g.b`` → ``look``; the run's conf says how ``g.a`` ends and what to look at."""

    def end(dag_run):
        if dag_run.conf.get("ends") == "failed":
            raise ValueError("as it should")
        if dag_run.conf.get("ends") == "skipped":
            raise AirflowSkipException

    def look(ti, dag_run):
        if "look" in dag_run.conf:
            seen["it"] = QUESTIONS[dag_run.conf["look"]](ti)

    made = make_dag(schedule=None)
    with made:
        with TaskGroup("g") as group:
            PythonOperator(task_id="a", python_callable=end, retries=0)
            PythonOperator(task_id="b", python_callable=int)
        group >> PythonOperator(task_id="look", python_callable=look, trigger_rule="all_done")
    world.parse(made)
    return made


def previous_a(state=None, **more):
    def ask(ti):
        ti.task_id = "g.a"
        found = ti.get_previous_ti(state, **more)
        return None if found is None else (found.run_id, found.state)

    return ask


DATES = [day(10), day(11), day(12)]
QUESTIONS = {
    "previous": previous_a(),
    "previous success": previous_a("success"),
    "previous skipped": previous_a("skipped"),
    "previous upstream_failed": previous_a("upstream_failed"),
    "before the 11th": previous_a(logical_date=day(11)),
    "another map index": previous_a(map_index=3),
    "runs by date": lambda ti: ti.get_dr_count("d", logical_dates=DATES),
    "runs by date and state": lambda ti: ti.get_dr_count("d", DATES, states=["success"]),
    "runs by id": lambda ti: ti.get_dr_count("d", run_ids=["r10", "none"]),
    "all runs": lambda ti: ti.get_dr_count("d"),
    "tasks by date": lambda ti: ti.get_ti_count("d", task_ids=["g.a"], logical_dates=DATES),
    "tasks of a group": lambda ti: ti.get_ti_count(
        "d", task_group_id="g", logical_dates=DATES, states=["success"]
    ),
    "states of a group": lambda ti: ti.get_task_states(
        "d", task_group_id="g", logical_dates=[day(11)]
    ),
    "states of tasks": lambda ti: ti.get_task_states("d", task_ids=["look"], run_ids=["r10"]),
    "states of no run": lambda ti: ti.get_task_states("d"),
    "state of a run": lambda ti: [ti.get_dagrun_state("d", "r11"), ti.get_dagrun_state("d", "x")],
    "breadcrumbs": lambda ti: ti.get_task_breadcrumbs("d", "r11"),
}


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("previous", ("r12", "skipped")),
        ("previous success", ("r10", "success")),  # not only of the run just before
        ("previous skipped", ("r12", "skipped")),
        ("previous upstream_failed", None),
        ("before the 11th", ("r10", "success")),
        ("another map index", None),
        ("runs by date", 3),
        ("runs by date and state", 3),
        ("runs by id", 1),
        ("all runs", 4),
        ("tasks by date", 3),
        ("tasks of a group", 4),
        ("states of a group", {"r11": {"g.a": "failed", "g.b": "success"}}),
        ("states of tasks", {"r10": {"look": "success"}}),
        ("states of no run", {}),
        ("state of a run", ["success", None]),
        (
            "breadcrumbs",
            [
                {"task_id": "g.a", "map_index": -1, "state": "failed"},
                {"task_id": "g.b", "map_index": -1, "state": "success"},
                {"task_id": "look", "map_index": -1, "state": "success"},
            ],
        ),
    ],
)
def test_a_task_instance_knows_of_other_runs(world, dag, seen, question, answer):
    for number, conf in (
        (10, {}),
        (11, {"ends": "failed"}),
        (12, {"ends": "skipped"}),
        (13, {"look": question}),
    ):
        trigger_dag(world.services, "d", run_id=f"r{number}", logical_date=day(number), conf=conf)
        execute(world, dag)

    assert seen["it"] == answer


@pytest.mark.parametrize(
    ("dialect", "before"), [("2", ["2023-12-25", "2024-01-01"]), ("3", [None, None])]
)
def test_the_dates_beside_a_scheduled_run_are_those_of_its_schedule(
    world, make_dag, dialect, before
):
    """9.1. The one before is known of schedules with data intervals only, as in Airflow 2."""
    keys = ("prev_ds", "ds", "next_ds", "yesterday_ds_nodash", "tomorrow_ds_nodash")
    dates = []
    made = make_dag(
        schedule="0 0 * * 1",  # Mondays
        start_date=day(1),
        end_date=day(9),
        catchup=True,
        dialect=dialect,
    )
    PythonOperator(
        task_id="look",
        python_callable=lambda **context: dates.append([context[key] for key in keys]),
        dag=made,
    )
    world.parse(made)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        execute(world, made)

    assert dates == [
        [before[0], "2024-01-01", "2024-01-08", "20231231", "20240102"],
        [before[1], "2024-01-08", "2024-01-15", "20240107", "20240109"],
    ]
