"""``BashOperator`` and ``@task.bash`` (semantics section 7.1)."""

from __future__ import annotations

import json
import time
from datetime import timedelta

import pytest
from tradewind.operators.bash import BashOperator
from tradewind.sdk.task_decorators import task


def bash(world, command, **kwargs):
    BashOperator(task_id="b", bash_command=command, dag=world.dag, **kwargs)
    return world.run("b")


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ('echo a; echo b; printf "c"', "c"),
        ("echo a; echo", ""),
        ("true", ""),
        ("echo out; echo err >&2", "err"),
        ("echo 'trailing   '", "trailing"),
        ("echo {{ ds }}", "2024-03-05"),
    ],
)
def test_the_last_line_of_output_is_the_result(world, command, line):
    bash(world, command)

    assert world.xcoms("b") == {"return_value": line}


@pytest.mark.parametrize(
    ("code", "kwargs", "outcome"),
    [
        (0, {}, "success"),
        (1, {}, "failed"),
        (99, {}, "skipped"),
        (1, {"skip_on_exit_code": [1, 2]}, "skipped"),
        (0, {"skip_on_exit_code": 0}, "skipped"),
        (99, {"skip_on_exit_code": None}, "failed"),
        (7, {"skip_exit_code": 7}, "skipped"),
    ],
)
def test_the_exit_code_decides(world, code, kwargs, outcome):
    assert bash(world, f"exit {code}", **kwargs).outcome == outcome


def test_a_given_environment_replaces_the_tasks_own(world, monkeypatch):
    monkeypatch.setenv("HERE", "1")

    bash(world, "echo $FOO-$HERE-$AIRFLOW_CTX_DAG_ID", env={"FOO": "{{ ds }}"})

    assert world.xcoms("b") == {"return_value": "2024-03-05--d"}


def test_an_appended_environment_is_added(world, monkeypatch):
    monkeypatch.setenv("HERE", "1")

    bash(world, "echo $FOO-$HERE", env={"FOO": "x"}, append_env=True)

    assert world.xcoms("b") == {"return_value": "x-1"}


def test_the_output_is_processed(world):
    bash(world, "echo '{\"a\": 1}'", output_processor=json.loads)

    assert world.xcoms("b") == {"return_value": {"a": 1}}


def test_a_script_file_is_loaded_and_rendered(make_world, tmp_path):
    (tmp_path / "scr.sh").write_text('echo "hello {{ ds }}"\n')
    world = make_world(template_searchpath=str(tmp_path))

    bash(world, "scr.sh")

    assert world.xcoms("b") == {"return_value": "hello 2024-03-05"}


def test_a_blank_behind_the_name_of_a_script_keeps_it_from_being_loaded(world, tmp_path):
    script = tmp_path / "scr.sh"
    script.write_text("echo '{{ ds }}'")

    bash(world, f"bash {script} ")

    assert world.xcoms("b") == {"return_value": "{{ ds }}"}


def test_the_command_runs_in_the_folder_that_is_given(world, tmp_path):
    bash(world, "pwd", cwd=str(tmp_path))

    assert world.xcoms("b") == {"return_value": str(tmp_path)}


@pytest.mark.parametrize("name", ["missing", "file"])
def test_a_folder_that_is_none_fails_the_task(world, tmp_path, name):
    (tmp_path / "file").write_text("")

    result = bash(world, "pwd", cwd=str(tmp_path / name))

    assert result.outcome == "failed"
    assert str(tmp_path / name) in result.reason


def test_a_command_past_its_time_limit_is_stopped_with_all_that_it_started(world, tmp_path):
    started = time.monotonic()
    mark = tmp_path / "mark"

    result = bash(
        world, f"(sleep 20; touch {mark}) & wait", execution_timeout=timedelta(milliseconds=200)
    )

    assert result.outcome == "failed"
    assert time.monotonic() - started < 10
    assert not mark.exists()


def test_the_function_of_task_bash_returns_the_command_which_is_rendered(world):
    with world.dag:

        @task.bash
        def greet(who):
            return f"echo hello {who} {{{{ ds }}}}"

        greet("ann")

    result = world.run("greet")

    assert world.xcoms("greet") == {"return_value": "hello ann 2024-03-05"}
    assert result.rendered_fields["bash_command"] == "echo hello ann 2024-03-05"


@pytest.mark.parametrize("value", [None, 5, " ", ""])
def test_the_function_of_task_bash_must_return_a_command(world, value):
    with world.dag:

        @task.bash
        def greet():
            return value

        greet()

    assert world.run("greet").reason.startswith("TypeError")
