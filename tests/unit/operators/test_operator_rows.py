"""Rows of semantics 7.1 to 7.6 that no checkable example covers."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime, time
from pathlib import Path

import pytest
from tradewind.operators.bash import BashOperator
from tradewind.operators.branch import BranchPythonOperator
from tradewind.operators.branch_date_time import BranchDateTimeOperator
from tradewind.operators.empty import EmptyOperator
from tradewind.operators.external_python import ExternalPythonOperator
from tradewind.operators.latest_only import LatestOnlyOperator
from tradewind.operators.python import PythonOperator
from tradewind.operators.short_circuit import ShortCircuitOperator
from tradewind.operators.virtualenv import PythonVirtualenvOperator
from tradewind.sdk import timezone
from tradewind.sdk.exceptions import AirflowException
from tradewind.sdk.timetables.interval import CronDataIntervalTimetable
from tradewind.sdk.timetables.simple import NullTimetable, OnceTimetable
from tradewind.sdk.timetables.trigger import CronTriggerTimetable

# --- 7.1 -------------------------------------------------------------------------------------


def bash(world, command, **kwargs):
    BashOperator(task_id="b", bash_command=command, dag=world.dag, **kwargs)
    result = world.run("b")
    return world.xcoms("b").get("return_value"), result.outcome


def test_a_command_runs_in_an_empty_folder_of_its_own_which_is_gone_afterwards(world):
    line, _ = bash(world, 'echo "$PWD:$(ls -A | wc -l)"')
    folder, _, files = line.partition(":")

    assert int(files) == 0
    assert not Path(folder).exists()


def test_output_is_read_in_the_given_encoding_and_what_cannot_be_read_is_shown(world):
    assert bash(world, r"printf '\xe9'", output_encoding="latin-1")[0] == "é"


def test_output_that_is_no_text_does_not_fail_the_task(world):
    assert bash(world, r"printf '\xe9'") == (r"\xe9", "success")


def test_every_line_of_output_is_logged(world, caplog):
    caplog.set_level(logging.INFO)

    bash(world, "echo one; echo two >&2")

    assert {"one", "two"} <= {record.getMessage() for record in caplog.records}


def test_the_variables_of_the_context_reach_a_command_also_with_its_own_environment(world):
    line, _ = bash(world, "echo $AIRFLOW_CTX_DAG_ID.$AIRFLOW_CTX_TASK_ID.$X", env={"X": "x"})

    assert line == "d.b.x"


def test_a_command_that_is_given_up_gets_sigterm_with_all_that_it_started(world, tmp_path):
    mark = tmp_path / "mark"

    class Impatient(BashOperator):
        """Stops its command once it has begun."""

        @property
        def log(self):
            outer = self

            class Log:
                def info(self, message, *args):
                    if "begun" in args:
                        outer.on_kill()

            return Log()

    Impatient(
        task_id="b",
        bash_command=f"trap 'echo t > {mark}; exit 3' TERM; echo begun; sleep 60 & wait",
        dag=world.dag,
    )

    assert world.run("b").outcome == "failed"
    assert mark.read_text() == "t\n"


# --- 7.2 -------------------------------------------------------------------------------------


def test_what_cannot_be_called_is_refused_when_the_dag_is_declared():
    with pytest.raises(AirflowException, match="python_callable"):
        PythonOperator(task_id="a", python_callable="print")


@pytest.mark.parametrize(("shows", "is_logged"), [(True, True), (False, False)])
def test_the_result_is_logged_unless_that_is_switched_off(world, caplog, shows, is_logged):
    caplog.set_level(logging.INFO)
    PythonOperator(
        task_id="a",
        python_callable=lambda: "a-long-result",
        show_return_value_in_logs=shows,
        dag=world.dag,
    )

    world.run("a")

    assert any("a-long-result" in record.getMessage() for record in caplog.records) is is_logged


# --- 7.3 -------------------------------------------------------------------------------------


def nothing():
    pass


def environment():
    import os

    return [os.environ.get("HERE"), os.environ.get("GIVEN")]


def external(world, function, **kwargs):
    ExternalPythonOperator(
        task_id="a", python=sys.executable, python_callable=function, dag=world.dag, **kwargs
    )
    result = world.run("a")
    return result, world.xcoms("a").get("return_value")


def test_a_function_that_returns_nothing_over_there_has_no_result(world):
    result, value = external(world, nothing)

    assert (result.outcome, value) == ("success", None)


@pytest.mark.parametrize(
    ("inherits", "expected"), [(True, ["h", "{{ ds }}"]), (False, [None, "{{ ds }}"])]
)
def test_the_environment_over_there_is_added_to_or_replaced(world, monkeypatch, inherits, expected):
    monkeypatch.setenv("HERE", "h")

    _, value = external(world, environment, env_vars={"GIVEN": "{{ ds }}"}, inherit_env=inherits)

    assert value == expected


@pytest.mark.parametrize("serializer", ["json", "marshal"])
def test_an_unknown_serializer_is_refused(serializer):
    with pytest.raises(ValueError, match="pickle, dill or cloudpickle"):
        ExternalPythonOperator(
            task_id="a", python=sys.executable, python_callable=nothing, serializer=serializer
        )


def test_requirements_are_a_list_or_the_text_of_a_file(make_world, tmp_path):
    (tmp_path / "wanted.txt").write_text("one=={{ ds_nodash }}\n\ntwo\n")
    world = make_world(template_searchpath=[str(tmp_path)])
    PythonVirtualenvOperator(
        task_id="file", python_callable=nothing, requirements="wanted.txt", dag=world.dag
    )
    task = world.dag.get_task("file")
    task.resolve_template_files()
    listed = PythonVirtualenvOperator(
        task_id="list", python_callable=nothing, requirements=["one", "two"], dag=world.dag
    )

    task.render_template_fields({"ds_nodash": "20240305"})

    assert task._lines() == ["one==20240305", "two"]
    assert listed._lines() == ["one", "two"]


def test_a_serializer_from_elsewhere_is_installed_too():
    operator = PythonVirtualenvOperator(
        task_id="a", python_callable=nothing, requirements=["one"], serializer="cloudpickle"
    )

    assert operator._lines() == ["one", "cloudpickle"]


# --- 7.4 -------------------------------------------------------------------------------------


def branch_to(world, chosen):
    with world.dag:
        branch = BranchPythonOperator(task_id="br", python_callable=chosen)
        branch >> [EmptyOperator(task_id=name) for name in "abc"]
    return world.run("br").skip_task_ids


def test_a_branch_may_yield_what_it_follows(world):
    def chosen():
        return (name for name in ["a", "c"])

    assert branch_to(world, chosen) == ["b"]


@pytest.mark.parametrize("chosen", [{"a"}, ("a",), ["a"], "a"], ids=repr)
def test_a_branch_may_return_one_id_or_any_collection(world, chosen):
    assert branch_to(world, lambda: chosen) == ["b", "c"]


@pytest.mark.parametrize(
    ("zone", "hour", "skipped"),
    [("Europe/Paris", 8, "yes"), ("Europe/Paris", 9, "no"), ("UTC", 9, "yes"), ("UTC", 10, "no")],
)
def test_naive_ends_of_a_span_are_in_the_zone_of_the_dag(make_world, zone, hour, skipped):
    world = make_world(start_date=datetime(2024, 1, 1, tzinfo=timezone.parse_timezone(zone)))
    for number, lower in enumerate([time(10), datetime(2024, 3, 5, 10)]):  # noqa: DTZ001
        branch = BranchDateTimeOperator(
            task_id=f"b{number}",
            follow_task_ids_if_true=f"yes{number}",
            follow_task_ids_if_false=f"no{number}",
            target_lower=lower,
            target_upper=None,
            dag=world.dag,
        )
        with world.dag:
            branch >> [EmptyOperator(task_id=f"{way}{number}") for way in ("yes", "no")]

        with timezone.frozen(datetime(2024, 3, 5, hour, tzinfo=UTC)):
            assert world.run(f"b{number}").skip_task_ids == [f"{skipped}{number}"]


def test_the_date_of_the_run_can_decide(world):
    """The run's is 10:30:15."""
    branch = BranchDateTimeOperator(
        task_id="b",
        follow_task_ids_if_true="yes",
        follow_task_ids_if_false="no",
        target_lower=time(10),
        target_upper=time(11),
        use_task_logical_date=True,
        dag=world.dag,
    )
    with world.dag:
        branch >> [EmptyOperator(task_id="yes"), EmptyOperator(task_id="no")]

    with timezone.frozen(datetime(2025, 1, 1, 23, tzinfo=UTC)):
        assert world.run("b").skip_task_ids == ["no"]


# --- 7.5 -------------------------------------------------------------------------------------


def test_a_false_short_circuit_with_nothing_below_is_a_success_that_marks_nothing(world):
    ShortCircuitOperator(task_id="sc", python_callable=lambda: False, dag=world.dag)

    result = world.run("sc")

    assert (result.outcome, result.skip_task_ids) == ("success", [])
    assert world.xcoms("sc") == {"return_value": False}


# --- 7.6 -------------------------------------------------------------------------------------


def latest(make_world, timetable, now, *, at, interval=None):
    world = make_world(schedule=None)
    world.dag.timetable = timetable
    world.dag_run.update(
        run_type="scheduled",
        external_trigger=False,
        logical_date=at,
        run_after=at,
        data_interval_start=at if interval is None else interval[0],
        data_interval_end=at if interval is None else interval[1],
    )
    with world.dag:
        LatestOnlyOperator(task_id="l") >> EmptyOperator(task_id="a")
    with timezone.frozen(now):
        return world.run("l").skip_task_ids == []


DAILY = CronTriggerTimetable("@daily", timezone="UTC")


def day(number, hour=0, minute=0):
    return datetime(2024, 1, number, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "is_latest"),
    [
        (day(14), False),  # not before its own instant is over
        (day(14, 0, 1), True),
        (day(15), True),
        (day(15, 0, 1), False),
    ],
)
def test_with_instants_a_run_is_the_latest_until_the_next_one_is_due(make_world, now, is_latest):
    assert latest(make_world, DAILY, now, at=day(14)) is is_latest


@pytest.mark.parametrize(
    ("now", "is_latest"), [(day(15), True), (day(16), True), (day(16, 0, 1), False)]
)
def test_with_intervals_a_run_is_the_latest_until_the_next_interval_ends(
    make_world, now, is_latest
):
    timetable = CronDataIntervalTimetable("@daily", "UTC")

    assert latest(make_world, timetable, now, at=day(14), interval=(day(14), day(15))) is is_latest


@pytest.mark.parametrize("timetable", [NullTimetable(), OnceTimetable()], ids=["none", "once"])
def test_a_run_after_which_none_comes_stays_the_latest(make_world, timetable):
    assert latest(make_world, timetable, day(30), at=day(14)) is True
