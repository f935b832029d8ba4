import subprocess
import sys
import textwrap
from datetime import UTC, datetime, timedelta

import pytest
from tradewind.runtime.in_process import run_dag
from tradewind.sdk import task_runtime
from tradewind.sdk.base_operator import BaseOperator
from tradewind.sdk.clock import VirtualClock
from tradewind.sdk.dag import DAG
from tradewind.sdk.exceptions import ParamValidationError
from tradewind.sdk.param import Param
from tradewind.sdk.variable import Variable

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Ok(BaseOperator):
    def execute(self, context):
        return 1


class Fail(BaseOperator):
    def execute(self, context):
        raise ValueError("as it should")


def run(dag: DAG, **arguments):
    clock = VirtualClock(NOW)
    return run_dag(dag, clock=clock, sleep=lambda s: clock.advance(seconds=s), **arguments)


def states(result) -> dict[str, str]:
    return {one.label: str(one.state) for one in result.get_task_instances()}


def test_a_chain_runs_to_its_end_in_memory():
    with DAG("d", schedule=None) as dag:
        Ok(task_id="a") >> Ok(task_id="b")

    result = run(dag)

    assert result.state == "success"
    assert states(result) == {"a": "success", "b": "success"}
    assert task_runtime.current is None


def test_a_failing_task_fails_the_run_and_does_not_raise():
    with DAG("d", schedule=None) as dag:
        Fail(task_id="a") >> Ok(task_id="b")

    result = run(dag)

    assert result.state == "failed"
    assert states(result) == {"a": "failed", "b": "upstream_failed"}


def test_retries_wait_their_time_and_are_counted():
    with DAG("d", schedule=None) as dag:
        Fail(task_id="a", retries=2, retry_delay=timedelta(hours=1))

    result = run(dag)

    one = result.get_task_instance("a")
    assert one.try_number == 3
    assert result.end_date >= NOW + timedelta(hours=2)


def test_a_task_that_matches_the_pattern_succeeds_without_being_run():
    """Checkable example 10.7: the whole id has to match."""
    with DAG("d", schedule=None) as dag:
        Fail(task_id="wait_x")
        Fail(task_id="xwait_")

    result = run(dag, mark_success_pattern="wait_.*")

    assert states(result) == {"wait_x": "success", "xwait_": "failed"}


def test_the_logical_date_is_now_unless_given_or_given_as_none():
    with DAG("d", schedule=None) as dag:
        Ok(task_id="a")
    day = NOW - timedelta(days=3)

    assert run(dag).logical_date == NOW
    assert run(dag, logical_date=day).logical_date == day
    assert run(dag, execution_date=day).logical_date == day
    without = run(dag, logical_date=None)
    assert (without.logical_date, without.data_interval_start) == (None, None)


def test_every_change_is_reported_in_order():
    with DAG("d", schedule=None) as dag:
        Fail(task_id="a") >> Ok(task_id="b")
    lines: list[str] = []

    run(dag, report=lines.append)

    assert lines[0].startswith("d: run manual__")
    assert lines[1].startswith("a failed")
    assert lines[2] == "b upstream_failed: trigger rule all_success: a is failed"
    assert lines[3] == "d: run failed (task_failure)"


@pytest.mark.parametrize(
    ("operator", "called"),
    [(Ok, ("on_success", "success")), (Fail, ("on_failure", "task_failure"))],
)
def test_the_callbacks_of_the_dag_are_called_with_the_reason(operator, called):
    calls = []

    def broken(context):
        raise ValueError("as it should")

    with DAG(
        "d",
        schedule=None,
        on_success_callback=lambda context: calls.append(("on_success", context["reason"])),
        on_failure_callback=[
            broken,
            lambda context: calls.append(("on_failure", context["reason"])),
        ],
    ) as dag:
        operator(task_id="a")

    result = run(dag)

    assert calls == [called]
    assert str(result.state) == called[0].removeprefix("on_").replace("failure", "failed")


def test_variables_come_from_the_file_then_from_who_started_the_run(tmp_path):
    file = tmp_path / "variables.json"
    file.write_text('{"colour": "green", "sizes": [1, 2]}')
    seen = {}

    class Read(BaseOperator):
        def execute(self, context):
            seen["colour"] = Variable.get("colour")
            seen["sizes"] = Variable.get("sizes", deserialize_json=True)
            seen["stored"] = Variable.get("stored")

    with DAG("d", schedule=None) as dag:
        Read(task_id="a")

    result = run(dag, variable_file_path=str(file), find_variable={"stored": "there"}.get)

    assert result.state == "success"
    assert seen == {"colour": "green", "sizes": [1, 2], "stored": "there"}


@pytest.mark.parametrize(("operator", "code"), [("Ok", 0), ("Fail", 1)])
def test_a_dag_file_that_is_the_program_prints_states_and_exits_with_the_runs_result(
    tmp_path, operator, code
):
    file = tmp_path / "my_dag.py"
    file.write_text(
        textwrap.dedent(
            f"""
            from tradewind.sdk.base_operator import BaseOperator
            from tradewind.sdk.dag import DAG

            class Ok(BaseOperator):
                def execute(self, context):
                    return 1

            class Fail(BaseOperator):
                def execute(self, context):
                    raise ValueError("as it should")

            with DAG("d", schedule=None) as dag:
                {operator}(task_id="a")

            if __name__ == "__main__":
                run = dag.test()
                print("the program goes on")
            """
        )
    )

    ended = subprocess.run(
        [sys.executable, str(file)], capture_output=True, text=True, timeout=60, cwd=tmp_path
    )

    assert ended.returncode == code, ended.stderr
    assert ("a failed" if code else "a success") in ended.stdout
    assert ended.stdout.endswith("the program goes on\n")


def test_a_configuration_that_does_not_fit_the_params_makes_no_run():
    with DAG("d", schedule=None, params={"n": Param(3, type="integer", maximum=10)}) as dag:
        Ok(task_id="a")

    with pytest.raises(ParamValidationError, match=r"'n'.*99 is greater than the maximum of 10"):
        run(dag, run_conf={"n": 99})
    assert dag.params["n"] == 3


def test_a_run_before_the_start_of_every_task_says_why_nothing_ran():
    with DAG("d", schedule=None, start_date=datetime(2024, 1, 1, tzinfo=UTC)) as dag:
        Ok(task_id="a")
    said: list[str] = []

    run(dag, logical_date=datetime(2020, 1, 1, tzinfo=UTC), report=said.append)

    assert any("no task runs at this logical date" in line for line in said)


@pytest.mark.parametrize(
    ("work", "pipe", "code", "last"),
    [
        ("raise KeyboardInterrupt", "", 130, "sales: interrupted while work ran"),
        ("print('much')", "| head -1", 141, "sales: run "),
    ],
)
def test_a_program_that_is_interrupted_or_not_read_ends_without_a_traceback(
    tmp_path, work, pipe, code, last
):
    file = tmp_path / "my_dag.py"
    file.write_text(
        textwrap.dedent(
            f"""
            from airflow.sdk import dag, task

            @dag
            def sales():
                @task
                def work():
                    {work}

                for _ in range(50):
                    work()

            sales().test()
            """
        )
    )

    ended = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{sys.executable} {file} {pipe}"],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=tmp_path,
    )

    assert (ended.returncode, ended.stderr) == (code, "")
    assert ended.stdout.splitlines()[-1].startswith(last)
