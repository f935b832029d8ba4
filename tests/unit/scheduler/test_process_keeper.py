"""Real processes, kept alive and stopped. The keeper runs in a child of the test's own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from tradewind.scheduler.process_keeper import Member, ProcessKeeper, _State
from tradewind.sdk.clock import WallClock

PROGRAM = """
import signal, sys, time
from tradewind.scheduler.process_keeper import Member, ProcessKeeper
from tradewind.runtime.supervise.progress import Progress
from tradewind.sdk.clock import WallClock

def patient():
    print("patient", flush=True)
    signal.pause()
    return 0

def stubborn():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("stubborn", flush=True)
    while True:
        signal.pause()

progress = Progress()

def hanging():
    print("hanging", flush=True)
    progress.note(time.monotonic())
    while True:
        signal.pause()

def stuck():
    print("stuck", flush=True)
    while True:
        signal.pause()

def say(line):
    print(line, flush=True)

members = [
    Member(name, globals()[name], progress=progress if name in ("hanging", "stuck") else None)
    for name in sys.argv[1:]
]
keeper = ProcessKeeper(
    members, WallClock(), restart_delay_s=0.01, hang_timeout_s=0.2, start_timeout_s=2.0, say=say
)
sys.exit(keeper.run())
"""


@pytest.fixture
def keeper():
    started = []

    def start(*names):
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *names],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def children_of(pid: int) -> list[int]:
    with open(f"/proc/{pid}/task/{pid}/children") as file:  # noqa: PTH123
        return [int(word) for word in file.read().split()]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_member_that_is_killed_is_started_again(keeper):
    process = keeper("patient")
    assert process.stdout.readline() == "patient\n"
    (first,) = children_of(process.pid)

    os.kill(first, signal.SIGKILL)

    said = process.stdout.readline()
    assert said == "patient was ended by signal 9 (SIGKILL); it is started again\n"
    assert process.stdout.readline() == "patient\n"
    assert children_of(process.pid) != [first]


def test_one_that_ends_by_itself_at_once_is_started_ever_more_rarely():
    """Its database is gone: a line a second, from each process, would fill the disk."""
    keeper = ProcessKeeper([], WallClock(), restart_delay_s=1.0)
    state = _State(Member("failing", lambda: 1), started_s=time.monotonic())
    exit_code_1, killed = 1 << 8, signal.SIGKILL

    pauses = []
    for status in [exit_code_1] * 4 + [killed]:
        state.restart_delay_s = keeper._delay_s(state, status)
        pauses.append(state.restart_delay_s)

    assert pauses == [1.0, 2.0, 4.0, 4.0, 1.0]
    state.started_s -= 60.0
    assert keeper._delay_s(state, exit_code_1) == 0.0  # it had been well


def test_a_loop_that_hangs_writes_down_where_and_is_started_again(keeper):
    process = keeper("hanging")

    said = [process.stdout.readline() for _ in range(4)]

    assert said[0] == "hanging\n"
    assert said[1].startswith("hanging made no progress for")
    assert said[2] == "hanging was ended by signal 9 (SIGKILL); it is started again\n"
    assert said[3] == "hanging\n"
    stacks = [process.stderr.readline() for _ in range(3)]
    assert any("in hanging" in line for line in stacks)


def test_ctrl_c_ends_all_members_with_exit_code_0(keeper):
    process = keeper("patient", "patient")
    process.stdout.readline()
    process.stdout.readline()

    process.send_signal(signal.SIGINT)

    assert process.wait(timeout=5) == 0


def test_a_second_ctrl_c_kills_at_once(keeper):
    process = keeper("stubborn")
    process.stdout.readline()

    process.send_signal(signal.SIGINT)
    time.sleep(0.5)  # two signals within 0.3 s are taken for one
    process.send_signal(signal.SIGINT)

    assert process.wait(timeout=2) == 130


def test_a_member_that_hangs_in_its_start_is_started_again(keeper):
    process = keeper("stuck")

    said = [process.stdout.readline() for _ in range(4)]

    assert said[0] == "stuck\n"
    assert said[1].startswith("stuck made no progress for")
    assert said[2] == "stuck was ended by signal 9 (SIGKILL); it is started again\n"
    assert said[3] == "stuck\n"
