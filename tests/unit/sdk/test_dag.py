"""Declaring a DAG: semantics section 1 and its checkable examples."""

from __future__ import annotations

import textwrap
from datetime import UTC, datetime, timedelta

import pendulum
import pytest
from tradewind.sdk.asset import Asset
from tradewind.sdk.base_operator import BaseOperator
from tradewind.sdk.dag import DAG, dags_of_module
from tradewind.sdk.dag_context import file_being_parsed
from tradewind.sdk.dag_decorator import dag as dag_decorator
from tradewind.sdk.exceptions import (
    AirflowDagCycleException,
    AirflowException,
    AirflowTimetableInvalid,
    DuplicateTaskIdFound,
    FailFastDagInvalidTriggerRule,
    FailStopDagInvalidTriggerRule,
    ParamValidationError,
    TaskNotFound,
)
from tradewind.sdk.param import Param
from tradewind.sdk.task_group import TaskGroup
from tradewind.sdk.xcom_arg import XComArg

START = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("dag_id", ["a b", "a/b", "", "a" * 251])
def test_an_id_with_other_characters_or_too_long_is_refused(make_dag, dag_id):
    with pytest.raises(ValueError, match="id") as caught:
        make_dag(dag_id, schedule=None)
    assert isinstance(caught.value, AirflowException)


@pytest.mark.parametrize("dag_id", ["a" * 250, "dé_1", "a.b-c"])
def test_an_id_of_word_characters_is_taken(make_dag, dag_id):
    assert make_dag(dag_id, schedule=None).dag_id == dag_id


def test_an_id_that_is_no_text_is_a_type_error(make_dag):
    with pytest.raises(TypeError):
        make_dag(5, schedule=None)


def test_airflow_2_needs_a_start_date_with_a_schedule(make_dag):
    with pytest.raises(ValueError, match="start_date"):
        make_dag(dialect="2", schedule="@daily")

    assert make_dag(dialect="2", schedule=None).start_date is None
    assert make_dag(dialect="2", schedule="@daily", default_args={"start_date": START})


def test_airflow_3_needs_a_start_date_only_for_catchup(make_dag):
    assert make_dag(schedule="@daily").catchup is False
    with pytest.raises(ValueError, match="start_date"):
        make_dag(schedule="@daily", catchup=True)


def test_without_a_schedule_airflow_2_runs_daily_and_3_never(make_dag):
    daily = make_dag(dialect="2", start_date=START)

    assert daily.timetable.can_be_scheduled
    assert daily.schedule == timedelta(days=1)
    assert daily.catchup is True
    assert not make_dag(start_date=START).timetable.can_be_scheduled


def test_two_schedules_are_refused(make_dag):
    with pytest.raises(ValueError, match="at most one"):
        make_dag(start_date=START, schedule="@daily", schedule_interval="@hourly")


def test_schedule_interval_is_an_alias(make_dag):
    with pytest.warns(DeprecationWarning, match="schedule_interval"):
        dag = make_dag(dialect="2", start_date=START, schedule_interval="@hourly")

    assert dag.schedule == "@hourly"


def test_continuous_allows_one_active_run(make_dag):
    with pytest.raises(ValueError, match="max_active_runs=1"):
        make_dag(start_date=START, schedule="@continuous")

    assert make_dag(start_date=START, schedule="@continuous", max_active_runs=1)


def test_a_wrong_cron_text_is_found_when_the_dag_is_checked(make_dag):
    dag = make_dag(start_date=START, schedule="foo")

    with pytest.raises(AirflowTimetableInvalid):
        dag.validate()


def test_a_schedule_of_no_known_type_is_refused_at_once(make_dag):
    with pytest.raises(ValueError, match="schedule"):
        make_dag(start_date=START, schedule=5)


def test_default_args_of_dag_groups_and_operator_merge_from_left_to_right(make_dag):
    with (
        make_dag(
            schedule=None,
            default_args={"params": {"b": 3}, "retries": 2, "owner": "o1"},
            params={"a": 1, "b": 2},
        ),
        TaskGroup("outer", default_args={"retries": 5}),
        TaskGroup("inner", default_args={"owner": "o2"}),
    ):
        first = BaseOperator(task_id="e", params={"a": 9})
        second = BaseOperator(
            task_id="e2", retries=0, default_args={"owner": "o3", "params": {"z": 1}}
        )

    assert (first.retries, first.owner, first.params.dump()) == (5, "o2", {"a": 9, "b": 3})
    assert (second.retries, second.owner) == (0, "o3")
    assert second.params.dump() == {"a": 1, "b": 3, "z": 1}


def test_params_of_a_groups_default_args_have_no_effect(dag):
    with dag, TaskGroup("g", default_args={"params": {"c": 1}}):
        task = BaseOperator(task_id="a")

    assert task.params.dump() == {}


def test_an_explicit_none_beats_a_default(make_dag):
    with make_dag(schedule=None, default_args={"email": "a@example.com"}):
        task = BaseOperator(task_id="a", email=None)

    assert task.email is None


def test_a_tasks_dates_stay_inside_those_of_the_dag(make_dag):
    with make_dag(
        schedule=None,
        start_date=datetime(2024, 1, 10, tzinfo=UTC),
        end_date=datetime(2024, 2, 1, tzinfo=UTC),
    ):
        task = BaseOperator(
            task_id="a", start_date=START, end_date=datetime(2024, 3, 1, tzinfo=UTC)
        )

    assert task.start_date == datetime(2024, 1, 10, tzinfo=UTC)
    assert task.end_date == datetime(2024, 2, 1, tzinfo=UTC)


def test_the_zone_of_the_start_date_is_the_zone_of_the_dag(make_dag):
    dag = make_dag(
        schedule=None,
        start_date=pendulum.datetime(2024, 1, 1, tz="Europe/Paris"),
        default_args={"end_date": "2024-02-01"},
    )

    assert dag.start_date.isoformat() == "2023-12-31T23:00:00+00:00"
    assert str(dag.timezone) == "Europe/Paris"
    assert dag.default_args["end_date"].isoformat() == "2024-01-31T23:00:00+00:00"


def test_a_date_without_a_zone_is_in_the_default_zone_not_in_that_of_the_dag():
    paris = pendulum.datetime(2024, 1, 1, tz="Europe/Paris")

    dag = DAG("d", schedule=None, start_date=paris, end_date=datetime(2024, 2, 1))  # noqa: DTZ001

    assert dag.end_date.isoformat() == "2024-02-01T00:00:00+00:00"


@pytest.mark.parametrize(("dialect", "zone"), [("2", "Europe/Paris"), ("3", "UTC")])
def test_a_start_without_a_zone_takes_that_of_default_args_in_airflow_2_only(
    make_dag, dialect, zone
):
    paris = pendulum.datetime(2024, 1, 1, tz="Europe/Paris")

    dag = make_dag(
        "d",
        dialect=dialect,
        schedule=None,
        start_date=datetime(2024, 1, 1),  # noqa: DTZ001
        default_args={"start_date": paris},
    )

    assert str(dag.timezone) == zone


@pytest.mark.parametrize(
    ("dialect", "given", "expected"),
    [
        ("2", START, None),
        ("2", "2024-01-01", START),
        ("3", START, START),
        ("3", "2024-01-01", START),
    ],
)
def test_when_the_start_date_of_default_args_becomes_the_dags(make_dag, dialect, given, expected):
    dag = make_dag(dialect=dialect, schedule=None, default_args={"start_date": given})
    with dag:
        task = BaseOperator(task_id="a")

    assert dag.start_date == expected
    assert task.start_date == START


def test_tags_are_a_list_in_airflow_2_and_a_set_in_3(make_dag):
    assert make_dag(dialect="2", schedule=None, tags=["x", "x", "y"]).tags == ["x", "x", "y"]
    assert make_dag(schedule=None, tags=["x", "x", "y"]).tags == {"x", "y"}
    with pytest.raises(ValueError, match="tag"):
        make_dag(schedule=None, tags=["t" * 101])


def test_default_args_must_be_a_mapping(make_dag):
    with pytest.raises(TypeError):
        make_dag(schedule=None, default_args=[1])


@pytest.mark.parametrize("link", ["example", "http://", "mailto:"])
def test_an_owner_link_that_is_no_url_is_refused(make_dag, link):
    with pytest.raises(ValueError, match="URL"):
        make_dag(schedule=None, owner_links={"me": link})


@pytest.mark.filterwarnings("ignore:the DAG argument")
def test_names_that_only_airflow_2_knew_are_taken(make_dag):
    with pytest.warns(DeprecationWarning, match="concurrency"):
        dag = make_dag(
            dialect="2",
            schedule=None,
            concurrency=3,
            default_view="tree",
            orientation="LR",
            full_filepath="x",
            fail_stop=True,
        )

    assert (dag.max_active_tasks, dag.fail_fast) == (3, True)


def test_an_unknown_argument_is_named(make_dag):
    with pytest.raises(TypeError, match="colour"):
        make_dag(schedule=None, colour="red")


def test_a_scheduled_dag_needs_valid_param_defaults(make_dag):
    params = {"p": Param(type="integer")}

    with pytest.raises(ParamValidationError, match="p"):
        make_dag(start_date=START, schedule="@daily", params=params).validate()
    make_dag(schedule=None, params=params).validate()


# --- structure (section 1.9) -----------------------------------------------------------------


def test_two_tasks_with_one_id_are_refused(dag):
    with dag:
        BaseOperator(task_id="a")
        with pytest.raises(DuplicateTaskIdFound):
            BaseOperator(task_id="a")


@pytest.mark.parametrize("task_id", ["g", "g.upstream_join_id", "g.downstream_join_id"])
def test_a_task_cannot_have_the_id_of_a_group_or_of_its_joins(dag, task_id):
    with dag:
        TaskGroup("g")
        with pytest.raises(DuplicateTaskIdFound):
            BaseOperator(task_id=task_id)


def test_a_circle_is_found_when_the_dag_is_checked(dag):
    with dag:
        first, second, third = (BaseOperator(task_id=name) for name in "abc")
        first >> second >> third >> first

    with pytest.raises(AirflowDagCycleException, match=r"a >> b >> c >> a|b >> c >> a >> b"):
        dag.validate()


def test_a_task_that_waits_for_itself_is_a_circle(dag):
    with dag:
        task = BaseOperator(task_id="a")
        task >> task

    with pytest.raises(AirflowDagCycleException):
        dag.check_cycle()


def test_tasks_of_two_dags_cannot_depend_on_each_other(make_dag):
    first = BaseOperator(task_id="a", dag=make_dag("one", schedule=None))
    second = BaseOperator(task_id="b", dag=make_dag("two", schedule=None))

    with pytest.raises(RuntimeError) as caught:
        first >> second
    assert isinstance(caught.value, AirflowException)


def test_tasks_without_a_dag_cannot_depend_on_each_other():
    with pytest.raises(ValueError, match="no DAG") as caught:
        BaseOperator(task_id="a") >> BaseOperator(task_id="b")
    assert isinstance(caught.value, AirflowException)


def test_a_task_without_a_dag_joins_that_of_its_neighbour(dag):
    inside, outside = BaseOperator(task_id="a", dag=dag), BaseOperator(task_id="b")

    inside >> outside

    assert dag.get_task("b") is outside


@pytest.mark.parametrize("argument", ["fail_fast", "fail_stop"])
def test_a_fail_fast_dag_refuses_other_trigger_rules(make_dag, argument):
    dag = make_dag(schedule=None, **{argument: True})

    BaseOperator(task_id="a", dag=dag)
    with pytest.raises(FailFastDagInvalidTriggerRule) as caught:
        BaseOperator(task_id="b", dag=dag, trigger_rule="all_done")
    assert isinstance(caught.value, FailStopDagInvalidTriggerRule)


def test_a_task_after_a_setup_must_wait_for_its_success(dag):
    with dag:
        BaseOperator(task_id="s").as_setup() >> BaseOperator(task_id="w", trigger_rule="all_done")

    with pytest.raises(ValueError, match="setup"):
        dag.validate()


def test_an_unknown_task_is_named(dag):
    with pytest.raises(TaskNotFound, match="nope"):
        dag.get_task("nope")


# --- @dag and the dialect --------------------------------------------------------------------


def test_a_dag_function_names_documents_and_fills_the_dag(task):
    @dag_decorator(schedule=None)
    def my_dag(size: int = 3, name: str = "x"):
        """What it is for."""

        @task
        def show(size):
            return size

        return show(size)

    made = my_dag(size=5)

    assert (made.dag_id, made.doc_md) == ("my_dag", "What it is for.")
    assert made.params.dump() == {"size": 5, "name": "x"}
    assert made.task_ids == ["show"]
    assert isinstance(made.result, XComArg)
    assert made.get_task("show").upstream_task_ids == set()


def test_dag_function_decorated_without_parentheses():
    @dag_decorator
    def bare():
        BaseOperator(task_id="a")

    assert bare().task_ids == ["a"]


@pytest.mark.parametrize(
    ("imports", "dialect"),
    [
        ("from airflow.sdk import DAG", "3"),
        ("import airflow.sdk", "3"),
        ("from airflow import sdk", "3"),
        ("from airflow import DAG", "2"),
        ("from airflow.models import DAG\nfrom airflow.sdk import chain", "3"),
        ("from airflow.providers.standard.operators.empty import EmptyOperator", None),
        ("import os  # airflow", None),
        ('"""from airflow.sdk import DAG"""\nimport airflow.models', "2"),
        ("def f():\n    from airflow.sdk import task", "3"),
    ],
)
def test_imports_tell_the_dialect(imports, dialect):
    from tradewind.sdk.source_dialect import dialect_of_source

    assert dialect_of_source(imports.encode()) == dialect


def test_a_file_without_a_dialect_speaks_the_dag_files(tmp_path):
    dag_file = tmp_path / "my_dags.py"
    dag_file.write_text("from airflow.models import Variable\n")

    with file_being_parsed(str(dag_file)):
        dag = eval("DAG('a', schedule=None)", {"DAG": DAG, "__name__": "factory"})

    assert dag.dialect == "2"
    assert dag.fileloc == str(dag_file)


def test_the_module_that_calls_dag_tells_its_dialect(tmp_path):
    dialects = {}
    for name, line in {"old": "from airflow import models", "new": "import airflow.sdk"}.items():
        file = tmp_path / f"{name}.py"
        file.write_text(f"# {line}\nif False:\n    {line}\ndag = DAG('a', schedule=None)\n")
        code = compile(file.read_text(), str(file), "exec")
        namespace = {"DAG": DAG, "__name__": name, "__file__": str(file)}
        exec(code, namespace)
        dialects[name] = namespace["dag"].dialect

    assert dialects == {"old": "2", "new": "3"}


def test_the_parser_sees_dags_of_blocks_and_of_names(tmp_path):
    import types

    source = textwrap.dedent(
        """
        named = DAG("named", schedule=None)
        def declare():
            with DAG("in_a_block", schedule=None):
                pass
            with DAG("hidden", schedule=None, auto_register=False):
                pass
            DAG("forgotten", schedule=None)
        declare()
        """
    )
    module = types.ModuleType("some_dags")
    module.__dict__["DAG"] = DAG
    with file_being_parsed(str(tmp_path / "some_dags.py")) as parsed:
        exec(source, module.__dict__)
        found = dags_of_module(module, parsed)

    assert [dag.dag_id for dag in found] == ["named", "in_a_block"]


# --- the rest --------------------------------------------------------------------------------


def test_a_copy_with_some_tasks_keeps_their_upstream_only(dag):
    with dag:
        first, second, third = (BaseOperator(task_id=name) for name in "abc")
        first >> second >> third

    part = dag.partial_subset("b", include_upstream=True)

    assert sorted(part.task_ids) == ["a", "b"]
    assert part.get_task("b").downstream_task_ids == set()
    assert dag.get_task("b").downstream_task_ids == {"c"}
    assert part.get_task("a").dag is part


def test_a_list_of_assets_as_schedule_means_all_of_them(make_dag):
    first, second = Asset("s3://a"), Asset("s3://b")

    condition = make_dag(schedule=[first, second]).timetable.asset_condition

    assert condition.as_expression().keys() == {"all"}


def test_documentation_is_read_from_a_file_where_there_is_one(make_dag, tmp_path):
    (tmp_path / "about.md").write_text("# About")

    dag = make_dag(schedule=None, doc_md=str(tmp_path / "about.md"))

    assert dag.doc_md == "# About"
    assert make_dag(schedule=None, doc_md="no such.md").doc_md == "no such.md"


def test_a_task_can_be_added_to_a_dag_afterwards(dag):
    task = BaseOperator(task_id="a")

    dag.add_task(task)

    assert task.dag is dag
    assert dag.task_group.children == {"a": task}


def test_a_copy_with_some_tasks_keeps_mapping_and_groups(dag, task):
    from tradewind.sdk.task_group_decorator import task_group

    @task
    def source(): ...

    @task
    def f(x): ...

    @task_group
    def g(x):
        f(x)

    with dag:
        values = source()
        g.expand(x=values)
        f.expand(x=values)

    part = dag.partial_subset(["g.f", "f"])
    inner = part.get_task("g.f")

    assert sorted(part.task_ids) == ["f", "g.f", "source"]
    assert inner.get_closest_mapped_task_group() is part.task_group["g"]
    assert inner.op_args[0]._input is part.task_group["g"].expand_input
    assert part.get_task("f").dag is part


def test_an_asset_function_is_a_dag_of_one_task(monkeypatch, task, tmp_path):
    from tradewind.sdk import asset

    with file_being_parsed(str(tmp_path / "assets.py")) as parsed:

        @asset(schedule="@daily", uri="s3://bucket/raw")
        def raw(self, other, context=None): ...

        @asset(schedule=raw)
        def clean(raw): ...

    first, second = parsed.registered
    (made,) = first.tasks
    assert (first.dag_id, made.task_id, raw.name, raw.uri) == (
        "raw",
        "raw",
        "raw",
        "s3://bucket/raw",
    )
    assert made.outlets == [raw]
    assert [inlet.name for inlet in made.inlets] == ["other"]
    assert second.timetable.asset_condition == raw


@pytest.mark.parametrize(
    "text",
    [
        "from airflow.sdk import DAG",
        "import airflow.sdk as made",
        "from airflow import sdk",
        "from airflow import DAG",
        "import airflow",
        "from airflow import DAG\nfrom airflow.operators.bash import BashOperator",
        "from airflow.models import DAG\nfrom airflow.sdk import chain",
        "from airflow.providers.standard.operators.empty import EmptyOperator",
        "import os  # airflow",
        "airflow = 1",
        "x = y.airflow",
        '"""from airflow.sdk import DAG"""\nimport airflow.models',
        "def f():\n    class A:\n        from airflow.sdk import task",
        "from .airflow.sdk import task",
        "try:\n    from airflow.sdk import DAG\nexcept ImportError:\n    from airflow import DAG",
    ],
)
def test_compiled_code_tells_the_same_dialect_as_the_text(text):
    from tradewind.sdk.source_dialect import dialect_of_compiled, dialect_of_source

    code = compile(text, "f.py", "exec")

    assert dialect_of_compiled(text.encode(), code) == dialect_of_source(text.encode())


def test_settings_of_tasks_are_read_once_for_each_file(monkeypatch):
    named = "TRADEWIND__CORE__DEFAULT_TASK_RETRIES"
    with file_being_parsed("first.py"), DAG("first"):
        monkeypatch.setenv(named, "2")
        first = BaseOperator(task_id="a")
        monkeypatch.setenv(named, "3")
        second = BaseOperator(task_id="b")
    with file_being_parsed("second.py"), DAG("second"):
        third = BaseOperator(task_id="a")

    assert [first.retries, second.retries, third.retries] == [2, 2, 3]
