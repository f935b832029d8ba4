"""Real task processes, forked from a real host: how they end, and what their log says."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from tradewind.runtime.supervise.processes import (
    Asked,
    Reply,
    TaskBegan,
    TaskEntered,
)
from tradewind.runtime.task import process_hygiene
from tradewind.sdk.clock import WallClock

WAIT_S = 20.0


class MovedClock(WallClock):
    """A real clock that can be set forward."""

    moved_s = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.moved_s


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def wait_until(condition: Callable[[], bool], os_world) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, "it did not come true"
        os_world.events.extend(os_world.processes.poll(0.05))


def test_a_task_succeeds_and_its_log_has_what_it_said_in_order(os_world):
    os_world.write(
        "print('printed')\n"
        "logging.getLogger('mine').warning('logged\\nin two lines')\n"
        "subprocess.run(['echo', 'from a program'], check=True)\n"
        "print('last', end='')"
    )

    key = os_world.start()
    ended = os_world.end_of(key)

    assert (ended.result.outcome, ended.exit_code) == ("success", 0)
    lines = os_world.log(key).splitlines()
    assert lines[0].endswith("{stdout} INFO - printed")
    assert "{sales.py:" in lines[1]
    assert lines[1].endswith("WARNING - logged")
    assert lines[2] == "in two lines"
    assert lines[3].endswith("from a program")
    assert lines[4].endswith("INFO - last")


def test_the_hash_of_the_file_that_ran_comes_with_the_end(os_world):
    from tradewind.runtime.task.dag_file import hash_content

    path = os_world.write("pass")

    assert os_world.run().code_hash == hash_content(path.read_bytes())


def test_a_failing_task_says_why_in_result_and_log(os_world):
    os_world.write("raise ValueError('no such customer')")

    key = os_world.start()
    ended = os_world.end_of(key)

    assert ended.result.outcome == "failed"
    assert "no such customer" in ended.result.reason
    assert "Traceback" in os_world.log(key)


def test_a_task_killed_from_outside_ends_with_the_signal(os_world):
    os_world.write("print('here'); sys.stdout.flush(); os.kill(os.getpid(), signal.SIGKILL)")

    key = os_world.start()
    ended = os_world.end_of(key)

    assert (ended.result, ended.exit_code, ended.signal) == (None, None, 9)
    assert "here" in os_world.log(key)


def test_a_task_that_leaves_before_its_result_has_none(os_world):
    os_world.write("print('before'); os._exit(0)")

    key = os_world.start()
    ended = os_world.end_of(key)

    assert (ended.result, ended.exit_code) == (None, 0)
    assert "before" in os_world.log(key)


def test_a_task_gets_sigterm_and_may_clean_up(os_world):
    os_world.write("print('up', flush=True)\ntime.sleep(60)")
    key = os_world.start()
    os_world.wait_for(TaskEntered, key)

    os_world.processes.signal(key, signal.SIGTERM)
    ended = os_world.end_of(key)

    assert ended.result is None or ended.result.outcome == "failed"
    assert "SIGTERM" in os_world.log(key)


def test_sigterm_calls_on_kill_of_the_operator_that_executes(os_world):
    os_world.write_file(
        f"{os_world.head}\n"
        "class Guarded(BaseOperator):\n"
        "    def execute(self, context):\n"
        "        self.held = 'the lock'\n"
        "        print('up', flush=True)\n"
        "        time.sleep(60)\n"
        "    def on_kill(self):\n"
        "        print('released', self.held)\n"
        "with DAG('sales', schedule=None):\n"
        "    Guarded(task_id='task_1')\n"
    )
    key = os_world.start()
    wait_until(lambda: "up" in os_world.log(key), os_world)

    os_world.processes.signal(key, signal.SIGTERM)
    ended = os_world.end_of(key)

    assert ended.result.outcome == "failed"
    assert "released the lock" in os_world.log(key)


def test_a_crash_leaves_its_stack_in_the_log(os_world):
    os_world.write("import ctypes\nctypes.string_at(0)")

    key = os_world.start()
    ended = os_world.end_of(key)

    assert ended.signal == signal.SIGSEGV
    assert "Segmentation fault" in os_world.log(key)
    assert "in work" in os_world.log(key)


def test_a_task_that_ignores_sigterm_is_killed(os_world):
    os_world.write(
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('deaf', flush=True)\ntime.sleep(60)"
    )
    key = os_world.start()
    os_world.wait_for(TaskEntered, key)
    wait_until(lambda: "deaf" in os_world.log(key), os_world)

    os_world.processes.signal(key, signal.SIGTERM)
    os_world.processes.signal(key, signal.SIGKILL)

    assert os_world.end_of(key).signal == 9


def test_a_process_that_a_task_leaves_behind_is_killed(os_world):
    os_world.write(
        "child = subprocess.Popen(['sleep', '300'], start_new_session=True)\n"
        "print('pid', child.pid)"
    )

    key = os_world.start()
    os_world.end_of(key)

    pid = int(os_world.log(key).split("pid ")[1].split()[0])
    wait_until(lambda: not is_alive(pid), os_world)


def test_a_daemon_that_a_task_forks_is_killed(os_world):
    os_world.write(
        "pid = os.fork()\nif pid == 0:\n    os.setsid()\n    time.sleep(300)\nprint('pid', pid)"
    )

    key = os_world.start()
    os_world.end_of(key)

    pid = int(os_world.log(key).split("pid ")[1].split()[0])
    wait_until(lambda: not is_alive(pid), os_world)


def test_one_task_does_not_change_the_world_of_the_next(os_world):
    os_world.write(
        "import builtins\n"
        "print('seen before:', hasattr(builtins, 'stain'), os.getcwd())\n"
        "builtins.stain = True\n"
        "os.chdir('/')"
    )

    os_world.run()
    key = os_world.start()
    os_world.end_of(key)

    assert f"seen before: False {Path.cwd()}" in os_world.log(key)


def test_tasks_of_one_file_draw_different_random_numbers(os_world):
    os_world.write("import random\nprint('drew', random.random())")

    drawn = set()
    for _ in range(3):
        key = os_world.start()
        os_world.end_of(key)
        drawn.add(os_world.log(key).split("drew ")[1].split()[0])

    assert len(drawn) == 3


def test_a_changed_file_runs_in_its_new_form(os_world):
    os_world.write("print('old')")
    os_world.run()

    os_world.write("print('new and longer')")
    key = os_world.start()
    os_world.end_of(key)

    assert "new and longer" in os_world.log(key)


def test_a_changed_helper_module_is_noticed(os_world):
    helper = os_world.folder / "dags" / "helper_of_sales.py"
    helper.write_text("WORD = 'old'\n")
    os_world.write_file(
        f"{os_world.head}\nimport helper_of_sales\n"
        "with DAG('sales', schedule=None):\n"
        "    Call(function=lambda: print(helper_of_sales.WORD), task_id='task_1')\n"
    )
    os_world.run()

    helper.write_text("WORD = 'new word'\n")
    key = os_world.start()
    os_world.end_of(key)

    assert "new word" in os_world.log(key)


def test_a_file_that_breaks_runs_on_in_its_last_good_form(os_world):
    os_world.write("print('good')")
    os_world.run()

    os_world.write_file("this is not Python")
    key = os_world.start()
    ended = os_world.end_of(key)

    assert ended.result.outcome == "success"
    assert "good" in os_world.log(key)
    assert "last version that could" in os_world.log(key)


def test_a_file_that_never_loaded_fails_its_task_with_the_traceback(os_world):
    os_world.write_file("import sys\nsys.exit('go away')")

    key = os_world.start()
    ended = os_world.end_of(key)

    assert ended.error == "cannot import sales.py: SystemExit: go away"
    assert "Traceback" in os_world.log(key)


def test_a_file_that_kills_its_process_at_import_fails_its_task(os_world):
    os_world.write_file("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)")

    ended = os_world.run()

    assert ended.error == "importing sales.py ended its process: signal 11 (SIGSEGV)"


def test_a_dag_that_is_not_in_the_file_is_told_from_one_that_fails(os_world):
    os_world.write("pass")

    ended = os_world.run(dag_id="purchases")

    assert ended.result.outcome == "absent"
    assert "'purchases' is not in sales.py" in ended.result.reason


def test_a_file_that_starts_a_thread_runs_in_fresh_interpreters(os_world):
    os_world.write_file(
        f"{os_world.head}\nimport threading\n"
        "threading.Thread(target=time.sleep, args=(300,), daemon=True).start()\n"
        "with DAG('sales', schedule=None):\n"
        "    Call(function=lambda: print('parent', os.getppid()), task_id='task_1')\n"
    )

    key = os_world.start()
    ended = os_world.end_of(key)

    assert ended.result.outcome == "success"
    assert f"parent {os.getpid()}" in os_world.log(key)  # the runner's child, not a host's


def test_spawning_can_be_demanded(make_os_world):
    os_world = make_os_world(is_spawning=True)
    os_world.write("print('parent', os.getppid()); subprocess.run(['echo', 'sub'])")

    key = os_world.start()
    ended = os_world.end_of(key)

    assert (ended.result.outcome, ended.exit_code) == ("success", 0)
    assert f"parent {os.getpid()}" in os_world.log(key)
    assert "sub" in os_world.log(key)


def test_spawning_can_be_demanded_for_some_dags(make_os_world):
    os_world = make_os_world(spawned_dags=["legacy_*", "sal*"])
    os_world.write("print('parent', os.getppid())")

    key = os_world.start()
    os_world.end_of(key)

    assert f"parent {os.getpid()}" in os_world.log(key)


def test_a_spawned_task_can_be_killed(make_os_world):
    os_world = make_os_world(is_spawning=True)
    os_world.write("time.sleep(60)")
    key = os_world.start()
    os_world.wait_for(TaskEntered, key)

    os_world.processes.signal(key, signal.SIGKILL)

    assert os_world.end_of(key).signal == 9


def test_junk_in_the_protocol_socket_fails_that_attempt_only(os_world):
    os_world.write(
        "import stat\n"
        "for number in range(3, 64):\n"
        "    try:\n"
        "        if stat.S_ISSOCK(os.fstat(number).st_mode):\n"
        "            os.write(number, b'\\x00\\x00\\x00\\x10' + b'junk' * 4)\n"
        "    except OSError:\n"
        "        pass\n"
        "time.sleep(1)"
    )

    ended = os_world.run()
    assert ended.error.startswith("protocol error")

    os_world.write("print('fine again')")
    assert os_world.run().result.outcome == "success"


def test_a_killed_host_ends_its_tasks_and_a_new_one_serves_the_next(os_world):
    os_world.write("print('host', os.getppid(), flush=True)\ntime.sleep(60)")
    key = os_world.start()
    began = os_world.wait_for(TaskBegan, key)
    wait_until(lambda: "host" in os_world.log(key), os_world)

    host = int(os_world.log(key).split("host ")[1].split()[0])
    os.kill(host, signal.SIGKILL)
    ended = os_world.end_of(key)

    assert ended.is_host_lost
    wait_until(lambda: not is_alive(began.pid), os_world)
    os_world.write("print('served')")
    assert os_world.run().result.outcome == "success"


def test_a_task_that_waits_for_its_import_can_be_withdrawn(os_world):
    os_world.write_file("import time\ntime.sleep(300)")
    key = os_world.start()
    os_world.events.extend(os_world.processes.poll(0.3))

    os_world.processes.signal(key, signal.SIGTERM)

    assert os_world.end_of(key).result is None


def test_hosts_and_their_zygote_go_when_nobody_needs_them_and_come_back(make_os_world):
    clock = MovedClock()
    os_world = make_os_world(clock=clock)
    os_world.write("pass")
    others = process_hygiene.child_pids()
    first = os_world.start()
    os_world.end_of(first)
    left = set(process_hygiene.child_pids()) - set(others)
    assert left

    clock.moved_s += 301  # hosts are kept for 300 s

    def all_have_gone() -> bool:
        clock.moved_s += 11  # it looks around every ten seconds
        return not any(is_alive(pid) for pid in left)

    wait_until(all_have_gone, os_world)

    second = os_world.start()
    assert os_world.end_of(second).result.outcome == "success"


def test_the_journal_knows_who_entered_user_code(os_world):
    os_world.write("pass")
    os_world.run()
    os_world.write_file("this is not Python", "broken.py")
    os_world.run("broken.py")

    os_world.journal._was_there = True
    assert os_world.journal.entered() == {"1-1"}


def test_a_variable_is_asked_of_the_runner_at_import_and_its_secret_is_masked(os_world):
    os_world.write_file(
        f"{os_world.head}\nfrom tradewind.sdk import task_runtime\n"
        "VALUE = task_runtime.current.get_variable('password')\n"
        "with DAG('sales', schedule=None):\n"
        "    Call(function=lambda: print('it is', VALUE), task_id='task_1')\n"
    )
    key = os_world.start()

    asked = os_world.wait_for(Asked, None)
    assert (asked.method, asked.arguments) == ("get_variable", {"key": "password"})
    os_world.processes.answer(asked.asker, Reply(value="sesame-open", masked=["sesame-open"]))
    ended = os_world.end_of(key)

    assert ended.result.outcome == "success"
    assert "it is ***" in os_world.log(key)


def test_a_log_is_capped_and_still_ends_with_its_verdict(make_os_world):
    os_world = make_os_world(log_bytes_max=10_000)
    os_world.write("for n in range(5000):\n    print('x' * 100)")

    key = os_world.start()
    os_world.end_of(key)

    lines = os_world.log(key).splitlines()
    assert len(os_world.log(key)) < 11_000
    assert "dropped" in lines[-2]
    assert lines[-1].endswith("closed")


def test_a_shouting_task_does_not_lose_its_result(os_world):
    os_world.write("sys.stdout.write('y' * 3_000_000)")

    key = os_world.start()
    ended = os_world.end_of(key)

    assert ended.result.outcome == "success"
    assert os_world.log(key).count("y") >= 3_000_000
