"""Section 1, row by row: what the constructor takes, and what a DAG shows to user code."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta

import jinja2
import pendulum
import pytest
from tradewind.sdk.base_operator import BaseOperator
from tradewind.sdk.dag import DAG
from tradewind.sdk.dag_decorator import dag as dag_decorator
from tradewind.sdk.exceptions import AirflowException, TaskNotFound
from tradewind.sdk.serialize_dag import serialize
from tradewind.sdk.task_group import TaskGroup
from tradewind.sdk.timetables.interval import CronDataIntervalTimetable

START = datetime(2024, 1, 1, tzinfo=UTC)


def test_an_explicit_start_date_of_none_keeps_that_of_default_args_away(make_dag):
    dag = make_dag(schedule=None, start_date=None, default_args={"start_date": START})

    assert dag.start_date is None


def test_a_timetable_may_stand_in_the_place_of_the_schedule(make_dag):
    table = CronDataIntervalTimetable("0 3 * * *")

    with pytest.warns(DeprecationWarning, match="timetable"):
        old = make_dag(dialect="2", start_date=START, timetable=table)

    assert old.timetable is table
    assert make_dag(start_date=START, schedule=table).timetable is table


@pytest.mark.parametrize("searchpath", ["/templates", ["/templates"], ("/templates",)])
def test_templates_are_looked_for_beside_the_file_and_then_where_the_dag_says(make_dag, searchpath):
    dag = make_dag(schedule=None, template_searchpath=searchpath)

    loader = dag.get_template_env().loader

    assert list(loader.searchpath)[-1] == "/templates"
    assert len(loader.searchpath) == 2


def test_what_is_undefined_in_a_template_is_the_dags_to_say(make_dag):
    strict = make_dag(schedule=None).get_template_env()
    lenient = make_dag(schedule=None, template_undefined=jinja2.Undefined).get_template_env()

    with pytest.raises(jinja2.UndefinedError):
        strict.from_string("{{ nothing }}").render()
    assert lenient.from_string("<{{ nothing }}>").render() == "<>"


def test_macros_and_filters_are_the_same_objects_in_a_copy_of_the_dag(make_dag):
    macros, filters = {"thing": object()}, {"twice": lambda value: value * 2}
    dag = make_dag(schedule=None, user_defined_macros=macros, user_defined_filters=filters)

    copied = copy.deepcopy(dag)

    assert copied.user_defined_macros["thing"] is macros["thing"]
    assert copied.user_defined_filters["twice"] is filters["twice"]


def test_no_more_failed_runs_than_none_are_refused(make_dag):
    with pytest.raises(ValueError, match="max_consecutive_failed_dag_runs"):
        make_dag(schedule=None, max_consecutive_failed_dag_runs=-1)


def test_limits_that_nobody_gave_come_from_the_settings(make_dag, monkeypatch):
    for name, value in (
        ("MAX_ACTIVE_TASKS_PER_DAG", "7"),
        ("MAX_ACTIVE_RUNS_PER_DAG", "3"),
        ("MAX_CONSECUTIVE_FAILED_DAG_RUNS_PER_DAG", "5"),
    ):
        monkeypatch.setenv(f"AIRFLOW__CORE__{name}", value)
    dag = make_dag(schedule=None)
    given = make_dag(schedule=None, max_active_tasks=1, max_active_runs=2)

    assert (dag.max_active_tasks, dag.max_active_runs) == (7, 3)
    assert dag.max_consecutive_failed_dag_runs == 5
    assert (given.max_active_tasks, given.max_active_runs) == (1, 2)


def test_sixteen_runs_and_tasks_and_no_limit_of_failures_are_the_defaults(make_dag):
    dag = make_dag(schedule=None)

    assert (dag.max_active_tasks, dag.max_active_runs) == (16, 16)
    assert dag.max_consecutive_failed_dag_runs == 0


def test_a_dag_is_shown_by_its_id_unless_it_has_a_name_for_people(make_dag):
    assert make_dag("sales", schedule=None).dag_display_name == "sales"
    assert make_dag("sales", schedule=None, dag_display_name="Sälés").dag_display_name == "Sälés"


@pytest.mark.parametrize("link", ["https://example.com/x", "http://example.com", "mailto:a@b.c"])
def test_owner_links_that_lead_somewhere_are_kept(make_dag, link):
    assert make_dag(schedule=None, owner_links={"me": link}).owner_links == {"me": link}


def test_what_user_code_reads_of_a_dag(make_dag):
    with make_dag("a.b", schedule=None, default_args={"owner": "ann"}) as dag:
        first = BaseOperator(task_id="first")
        with TaskGroup("g"):
            second = BaseOperator(task_id="second", owner="bob")
        first >> second

    assert dag.task_ids == ["first", "g.second"]
    assert dag.tasks == [first, second]
    assert dag.task_dict == {"first": first, "g.second": second}
    assert (dag.roots, dag.leaves) == ([first], [second])
    assert set(dag.owner.split(", ")) == {"ann", "bob"}
    assert dag.safe_dag_id == "a__dot__b"
    here = DAG("d", schedule=None)
    assert here.fileloc == __file__
    assert here.folder == __file__.rsplit("/", 1)[0]
    assert dag.has_task("first")
    assert not dag.has_task("g")
    assert dag["first"] is first
    assert dag["g"].group_id == "g"
    with pytest.raises(KeyError):
        dag["nope"]
    with pytest.raises(TaskNotFound):
        dag.get_task("nope")
    assert list(dag.topological_sort()) == [first, second]
    assert str(dag.timezone) == "UTC"


def test_an_edge_may_be_set_by_ids(make_dag):
    with make_dag(schedule=None) as dag:
        BaseOperator(task_id="a")
        BaseOperator(task_id="b")
    dag.set_dependency("a", "b")

    assert dag.get_task("a").downstream_task_ids == {"b"}


def test_dags_are_equal_by_what_they_are_and_ordered_by_id(make_dag):
    def build(dag_id="d", *, task_id="t", schedule="@daily"):
        with make_dag(dag_id, schedule=schedule, start_date=START) as dag:
            BaseOperator(task_id=task_id)
        return dag

    one, same = build(), build()
    same.last_loaded = one.last_loaded = None

    assert one == same
    assert hash(one) == hash(same)
    assert one != build(task_id="other")
    assert one != build(schedule="@hourly")
    assert build("a") < build("b")


@pytest.mark.parametrize("group_id", ["a.b", "", "x" * 201, "a b"])
def test_ids_of_groups_have_no_dots_and_at_most_two_hundred_characters(make_dag, group_id):
    with make_dag(schedule=None), pytest.raises(ValueError, match="id") as caught:
        TaskGroup(group_id)
    assert isinstance(caught.value, AirflowException)


def test_a_task_id_counts_with_the_prefix_of_its_group(make_dag):
    with make_dag(schedule=None), TaskGroup("g" * 200):
        assert BaseOperator(task_id="t" * 49)
        with pytest.raises(ValueError, match="250"):
            BaseOperator(task_id="t" * 50)


def test_a_dag_may_be_entered_again_and_inner_ones_come_first(make_dag):
    outer, inner = make_dag("outer", schedule=None), make_dag("inner", schedule=None)
    with outer:
        BaseOperator(task_id="a")
        with inner:
            BaseOperator(task_id="b")
        BaseOperator(task_id="c")
    with outer:
        BaseOperator(task_id="e")

    assert (outer.task_ids, inner.task_ids) == (["a", "c", "e"], ["b"])


def test_a_dag_function_takes_its_arguments_from_the_runs_conf(run_to_end, task):
    seen = []

    @dag_decorator(dag_id="named", schedule=None, doc_md="own text")
    def function(size: int = 3, name: str = "x"):
        """Not used where the DAG has documentation."""

        @task
        def show(size, name):
            seen.append((size, name))

        show(size, name)

    made = function(name="given")
    assert (made.dag_id, made.doc_md) == ("named", "own text")
    assert run_to_end(made)["run"] == "success"
    assert run_to_end(made, run_conf={"size": 9})["run"] == "success"
    assert seen == [(3, "given"), (9, "given")]


def test_arguments_that_no_class_knows_are_ignored_in_default_args_and_refused_elsewhere(make_dag):
    with make_dag(schedule=None, default_args={"colour": "red", "retries": 2}):
        task = BaseOperator(task_id="a")
        with pytest.raises(TypeError, match="colour") as caught:
            BaseOperator(task_id="b", colour="red")

    assert task.retries == 2
    assert not hasattr(task, "colour")
    assert isinstance(caught.value, AirflowException)


def test_dates_are_kept_in_utc_and_the_zone_comes_from_the_start(make_dag):
    paris = pendulum.datetime(2024, 1, 1, tz="Europe/Paris")
    dag = make_dag(schedule="@daily", start_date=paris, end_date=datetime(2024, 2, 1))  # noqa: DTZ001
    of_defaults = make_dag(schedule="@daily", default_args={"start_date": paris})

    assert dag.start_date == datetime(2023, 12, 31, 23, tzinfo=UTC)
    assert str(dag.timezone) == str(of_defaults.timezone) == "Europe/Paris"
    assert str(make_dag(schedule="@daily").timezone) == "UTC"
    assert serialize(dag, relative_fileloc="d.py").timezone == "Europe/Paris"


def test_naive_dates_are_in_the_zone_of_the_settings(make_dag, monkeypatch):
    monkeypatch.setenv("AIRFLOW__CORE__DEFAULT_TIMEZONE", "Europe/Paris")
    dag = make_dag(schedule="@daily", start_date=datetime(2024, 1, 1))  # noqa: DTZ001

    assert dag.start_date == datetime(2023, 12, 31, 23, tzinfo=UTC)


def test_version_and_bundle_settings_are_kept(make_dag):
    dag = make_dag(schedule=None, disable_bundle_versioning=True, rerun_with_latest_version=False)

    assert dag.disable_bundle_versioning is True
    assert dag.rerun_with_latest_version is False


def test_a_length_of_time_is_a_schedule_and_one_that_stands_still_is_none(make_dag):
    make_dag(start_date=START, schedule=timedelta(minutes=5)).validate()
    for wrong in (timedelta(0), timedelta(minutes=-5)):
        with pytest.raises(AirflowException):
            make_dag(start_date=START, schedule=wrong).validate()


def test_sub_dags_are_refused(make_dag):
    with pytest.raises(TypeError, match="parent_dag"):
        make_dag(schedule=None, parent_dag=DAG("p", schedule=None))
