"""The context of a task (semantics sections 9.1 and 9.2)."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime

import pendulum
import pytest
from tradewind.operators.python import PythonOperator
from tradewind.sdk.context import get_current_context
from tradewind.sdk.context_keys import KNOWN_CONTEXT_KEYS
from tradewind.sdk.exceptions import RemovedInAirflow3Warning

#: In callbacks only, or kept by a later release than a task sees here.
ELSEWHERE = {"exception", "reason", "start_date", "try_number"}


@pytest.fixture
def context_of(world):
    def context_of(**run):
        world.dag_run.update(run)
        seen = []
        PythonOperator(
            task_id="a",
            python_callable=lambda: seen.append(get_current_context()),
            dag=world.dag,
        )
        assert world.run("a").outcome == "success"
        return seen[0]

    return context_of


def test_every_known_key_is_there(context_of):
    assert KNOWN_CONTEXT_KEYS - set(context_of()) == ELSEWHERE


def test_dates_are_pendulum_in_utc(context_of):
    context = context_of()

    assert context["logical_date"] == pendulum.datetime(2024, 3, 5, 10, 30, 15)
    assert isinstance(context["data_interval_end"], pendulum.DateTime)
    assert str(context["data_interval_end"]) == "2024-03-05 10:30:15+00:00"
    keys = ("ds", "ds_nodash", "ts", "ts_nodash", "ts_nodash_with_tz")
    assert [context[key] for key in keys] == [
        "2024-03-05",
        "20240305",
        "2024-03-05T10:30:15+00:00",
        "20240305T103015",
        "20240305T103015+0000",
    ]
    assert context["task_instance_key_str"] == "d__a__20240305"


def test_a_run_without_logical_date_has_no_dates(context_of):
    context = context_of(logical_date=None, data_interval_start=None, data_interval_end=None)

    assert "ds" not in context
    assert "logical_date" not in context
    assert context["data_interval_start"] is None
    assert context["task_instance_key_str"] == f"d__a__{context['run_id']}"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("execution_date", pendulum.datetime(2024, 3, 5, 10, 30, 15)),
        ("yesterday_ds", "2024-03-04"),
        ("tomorrow_ds_nodash", "20240306"),
        ("next_ds", "2024-03-05"),
        ("prev_ds_nodash", "20240305"),
        ("next_execution_date", pendulum.datetime(2024, 3, 5, 10, 30, 15)),
        ("prev_execution_date_success", None),
    ],
)
def test_keys_that_airflow_3_removed_are_there_and_warn_when_they_are_read(context_of, key, value):
    context = context_of()

    with pytest.warns(RemovedInAirflow3Warning, match=key):
        assert context[key] == value


def test_copying_a_context_warns_of_nothing_and_computes_nothing_costly(context_of, world):
    context = context_of()
    asked = []
    world.runtime.__class__ = type(
        "Runtime",
        (type(world.runtime),),
        {"__slots__": (), "get_previous_dag_run": lambda self, **names: asked.append(names)},
    )

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        copied = context.copy()
        entries = dict(context.items())
        copied.update(mine=1)

    assert asked == []
    assert entries["prev_start_date_success"] == None  # noqa: E711 - a stand-in is no None
    assert len(asked) == 1
    assert "mine" not in context


def test_a_plain_dict_of_a_context_holds_values(context_of):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plain = {**context_of(), "mine": 1}

    assert (plain["ds"], plain["yesterday_ds"], plain["mine"]) == ("2024-03-05", "2024-03-04", 1)


def test_the_previous_success_is_asked_for_once_when_it_is_needed(context_of, world):
    asked = []
    fields = {
        "run_id": "before",
        "data_interval_start": datetime(2024, 3, 4, tzinfo=UTC),
        "data_interval_end": datetime(2024, 3, 5, tzinfo=UTC),
        "start_date": datetime(2024, 3, 5, 1, tzinfo=UTC),
        "end_date": datetime(2024, 3, 5, 2, tzinfo=UTC),
    }

    def previous(self, **names):
        asked.append(names)
        return fields

    world.runtime.__class__ = type(
        "Runtime",
        (type(world.runtime),),
        {"__slots__": (), "get_previous_dag_run": previous},
    )
    context = context_of()

    assert asked == []
    assert str(context["prev_data_interval_start_success"]) == "2024-03-04 00:00:00+00:00"
    assert str(context["prev_end_date_success"]) == "2024-03-05 02:00:00+00:00"
    assert [names["state"] for names in asked] == ["success"]


def test_the_dag_run_shows_its_columns_under_the_names_of_both_generations(context_of):
    run = context_of(conf=None, triggering_user="ann", note="n", started_at=None)["dag_run"]

    assert run.conf == {}
    assert (run.run_type, run.triggering_user_name, run.note) == ("manual", "ann", "n")
    assert run.execution_date == run.logical_date == pendulum.datetime(2024, 3, 5, 10, 30, 15)
    assert run.queued_at is None
    with pytest.raises(AttributeError):
        run.no_such_column  # noqa: B018


def test_the_task_instance_shows_what_user_code_reads(context_of):
    ti = context_of()["ti"]

    assert (ti.task_id, ti.dag_id, ti.try_number, ti.map_index) == ("a", "d", 1, -1)
    assert ti.key.primary == ("d", "a", "manual__2024-03-05T10:30:15+00:00", -1)
    assert (ti.operator, ti.state) == ("PythonOperator", "success")
    assert ti.duration >= 0
    assert ti.get_template_context()["ti"] is ti


@pytest.mark.parametrize(
    ("retries", "try_number", "is_eligible"), [(0, 1, False), (2, 2, True), (2, 3, False)]
)
def test_a_task_instance_knows_whether_a_try_is_left(world, retries, try_number, is_eligible):
    seen = []
    PythonOperator(
        task_id="a",
        python_callable=lambda ti: seen.append(ti.is_eligible_to_retry()),
        retries=retries,
        dag=world.dag,
    )

    world.run("a", try_number=try_number, tries_max=retries)

    assert seen == [is_eligible]


def test_a_task_instance_has_the_id_by_which_the_api_names_it(world):
    seen = []
    PythonOperator(task_id="a", python_callable=lambda ti: seen.append(ti.id), dag=world.dag)

    world.run("a", task_instance_id=7)
    world.run("a")
    world.run("a", map_index=1)

    stored, in_memory, another = seen
    assert str(stored) == "00000000-0000-0000-0000-000000000007"
    assert len({stored, in_memory, another}) == 3


def test_the_state_stores_of_airflow_3_3_say_that_they_are_missing(world):
    def function(task_state_store, asset_state_store):
        for use in (lambda: task_state_store.get("k"), lambda: asset_state_store["a"]):
            with pytest.raises(RuntimeError, match=r"has no (task|asset)_state_store"):
                use()

    PythonOperator(task_id="a", python_callable=function, dag=world.dag)

    assert world.run("a").outcome == "success"
