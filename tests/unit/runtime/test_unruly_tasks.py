"""Task processes that break what surrounds them: each try still ends, and says how."""

from __future__ import annotations

import os
import select
import signal
import time

import pytest
from tradewind.runtime.supervise.processes import Asked, Reply, TaskBegan, TaskEnded
from tradewind.sdk.base_operator import BaseOperator
from tradewind.sdk.dag import DAG


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("raise ValueError('a\\ud800b\\0c')", "ValueError: a\\ud800b\\x00c"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("sys.exit(True)", "exit code 1"),
        (
            "class Mute(Exception):\n"
            "    def __str__(self): sys.exit(9)\n"
            "    __repr__ = __str__\n"
            "raise Mute()",
            "Mute: <its text cannot be had: str() raised SystemExit>",
        ),
        (
            "logging.getLogger('tradewind.task').addFilter(lambda record: 1 / 0)\n"
            "raise ValueError('said all the same')",
            "ValueError: said all the same",
        ),
    ],
)
def test_the_reason_of_a_failure_is_told_whatever_its_exception_is_like(os_world, body, reason):
    os_world.write(body)

    key = os_world.start()
    ended = os_world.end_of(key)

    assert (ended.result.outcome, ended.result.reason) == ("failed", reason)
    assert ended.exit_code == 0
    assert "failed outside the task" not in os_world.log(key)


def test_what_is_stored_of_a_huge_exception_has_an_end(os_world):
    os_world.write("raise ValueError('x' * 3_000_000 + 'the end')")

    result = os_world.run().result

    assert len(result.reason) < 3_000
    assert result.reason.endswith("the end")
    assert len(result.traceback) < 200_000


def test_a_result_that_no_message_can_hold_is_a_failure_that_says_so(os_world):
    os_world.write("return 'x' * 70_000_000")

    result = os_world.run().result

    assert result.outcome == "failed"
    assert "cannot be handed over" in result.reason
    assert "67108864" in result.reason


def test_a_process_that_the_task_forked_and_that_returns_does_not_report_the_try(os_world):
    os_world.write(
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    raise ValueError('of the copy')\n"
        "print('it ended with', os.waitpid(pid, 0)[1] >> 8)"
    )

    key = os_world.start()
    ended = os_world.end_of(key)

    assert ended.result.outcome == "success"
    assert "it ended with 1" in os_world.log(key)
    assert "A process that the task forked ended with an exception" in os_world.log(key)


def test_terminating_a_process_right_after_its_start_ends_it(os_world):
    # It used to lose the signal, one time in a few, and the task waited for ever.
    os_world.write(
        "import multiprocessing, time\n"
        "context = multiprocessing.get_context('fork')\n"
        "codes = set()\n"
        "for _ in range(60):\n"
        "    process = context.Process(target=time.sleep, args=(600,))\n"
        "    process.start()\n"
        "    process.terminate()\n"
        "    process.join()\n"
        "    codes.add(process.exitcode)\n"
        "print('codes', codes)"
    )

    key = os_world.start()
    ended = os_world.end_of(key)

    assert ended.result.outcome == "success"
    assert "codes {-15}" in os_world.log(key)


def test_a_thread_that_never_ends_does_not_keep_a_task_that_has_ended(os_world, monkeypatch):
    monkeypatch.setenv("TRADEWIND__CORE__TASK_SUCCESS_OVERTIME", "0.3")
    os_world.write(
        "import threading\nthreading.Thread(target=threading.Event().wait).start()\nreturn 5"
    )

    key = os_world.start()
    ended = os_world.end_of(key)

    assert (ended.result.outcome, ended.exit_code) == ("success", 0)
    assert "task_success_overtime" in os_world.log(key)


@pytest.mark.parametrize("change", ["sys.stdout = None", "sys.stdout.close()"])
def test_what_is_logged_reaches_the_log_though_stdout_is_gone(os_world, change):
    os_world.write(f"{change}\nlogging.getLogger('mine').info('still heard')")

    key = os_world.start()
    ended = os_world.end_of(key)

    assert ended.result.outcome == "success"
    assert "still heard" in os_world.log(key)
    assert "Logging error" not in os_world.log(key)


def test_a_pipe_that_a_program_has_made_non_blocking_is_waited_for(os_world):
    os_world.write(
        "os.set_blocking(1, False)\n"
        "for number in range(3000): print('w' * 100)\n"
        "print('the last line')"
    )

    key = os_world.start()
    ended = os_world.end_of(key)

    assert ended.result.outcome == "success"
    assert os_world.log(key).count("w" * 100) == 3000
    assert "the last line" in os_world.log(key)


def test_a_record_behind_words_without_an_end_of_line_is_a_line_of_its_own(os_world):
    os_world.write(
        "subprocess.run(['printf', 'no end of line'], check=True)\n"
        "logging.getLogger('mine').info('a record')"
    )

    key = os_world.start()
    os_world.end_of(key)

    lines = os_world.log(key).splitlines()
    assert lines[0].endswith("{stdout} INFO - no end of line")
    assert lines[1].endswith("INFO - a record")


def test_a_process_that_a_task_forked_does_not_run_the_rest_of_a_tested_dag(tmp_path):
    class Forking(BaseOperator):
        def execute(self, context):
            pid = os.fork()
            if pid:
                os.waitpid(pid, 0)

    class Noting(BaseOperator):
        def execute(self, context):
            with (tmp_path / "pids").open("a") as file:
                file.write(f"{os.getpid()}\n")

    with DAG("d", schedule=None) as dag:
        Forking(task_id="a") >> Noting(task_id="b")

    assert dag.test().state == "success"
    assert (tmp_path / "pids").read_text() == f"{os.getpid()}\n"


def answer_all(os_world, key):
    """Answer what is asked until the task has ended; return its end, and what was asked for."""
    names = []
    deadline = time.monotonic() + 30.0
    while time.monotonic() < deadline:
        for event in os_world.processes.poll(0.1):
            if isinstance(event, Asked):
                assert event.key == key
                names.append(event.arguments["key"])
                os_world.processes.answer(event.asker, Reply(value=names[-1].upper()))
            elif isinstance(event, TaskEnded):
                return event, names
    raise AssertionError("the task did not end")


def test_processes_that_a_task_forks_ask_for_variables_all_at_once(os_world):
    os_world.write(
        "import multiprocessing\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from airflow.models import Variable\n"
        "def ask(name):\n"
        "    answers = [Variable.get(f'{name}{number}') for number in range(20)]\n"
        "    assert answers == [f'{name}{number}'.upper() for number in range(20)], answers\n"
        "def ask_below(name):\n"
        "    process = context.Process(target=ask, args=(name + 'below',))\n"
        "    process.start()\n"
        "    ask(name)\n"
        "    process.join()\n"
        "    assert process.exitcode == 0\n"
        "context = multiprocessing.get_context('fork')\n"
        "with ThreadPoolExecutor(2) as threads:\n"
        "    own = [threads.submit(ask, name) for name in ('x', 'y')]\n"
        "    processes = [context.Process(target=ask_below, args=(n,)) for n in 'abcd']\n"
        "    for process in processes: process.start()\n"
        "    for process in processes: process.join()\n"
        "    [one.result() for one in own]\n"
        "print('codes', [process.exitcode for process in processes])"
    )

    key = os_world.start()
    ended, names = answer_all(os_world, key)

    assert (ended.result.outcome, ended.result.reason) == ("success", "")
    assert "codes [0, 0, 0, 0]" in os_world.log(key)
    assert len(names) == len(set(names)) == 10 * 20


def test_a_forked_process_that_is_killed_while_it_asks_costs_the_task_nothing(os_world):
    os_world.write(
        "import multiprocessing, threading\n"
        "from airflow.models import Variable\n"
        "context = multiprocessing.get_context('fork')\n"
        "def ask():\n"
        "    while True: Variable.get('of the fork')\n"
        "for _ in range(5):\n"
        "    process = context.Process(target=ask)\n"
        "    process.start()\n"
        "    assert Variable.get('own') == 'OWN'\n"
        "    process.kill()\n"
        "    process.join()\n"
        "    assert Variable.get('own') == 'OWN'\n"
    )

    key = os_world.start()
    ended, names = answer_all(os_world, key)

    assert (ended.result.outcome, ended.result.reason) == ("success", "")
    assert names.count("own") == 10


def test_a_task_and_what_it_forked_may_end_in_the_same_moment(os_world, caplog):
    os_world.write("for _ in range(20):\n    if os.fork() == 0:\n        time.sleep(600)\n")

    for _ in range(3):
        assert os_world.run().result.outcome == "success"

    assert caplog.text == ""


def test_a_host_that_dies_while_another_is_started_is_noticed(os_world):
    # Both are told by the zygote: the end was read together with the answer to the start.
    os_world.write("time.sleep(60)")
    key = os_world.start()
    os_world.wait_for(TaskBegan, key)
    host = os_world.processes._hosts_of[key]
    zygote = os_world.processes._zygote.fileno()
    os.kill(host.pid, signal.SIGKILL)
    assert select.select([zygote], [], [], 20.0)[0]

    os_world.write("pass", "other.py")
    other = os_world.start("other.py")

    assert os_world.end_of(key).is_host_lost
    assert os_world.end_of(other).result.outcome == "success"
