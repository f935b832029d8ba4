"""Task processes that were forked before their order came."""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path

from tradewind.runtime.task import frames
from tradewind.runtime.task.spare_process import SpareProcess, wait_for_order

WAIT_S = 20.0


def children_of(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(word) for word in text.split()]


def wait_until_gone(pid: int, os_world) -> None:
    deadline = time.monotonic() + WAIT_S
    while Path(f"/proc/{pid}").exists():
        os_world.processes.poll(0.02)
        assert time.monotonic() < deadline, f"process {pid} is still there"


def host_and_spare(os_world) -> tuple[int, int]:
    """Run a task, and return the pid of its host and that of the spare that the host keeps."""
    ended = os_world.run()
    [host] = os_world.processes._pool.all
    deadline = time.monotonic() + WAIT_S
    while True:
        os_world.processes.poll(0.02)
        spares = [pid for pid in children_of(host.pid) if pid != ended.pid]
        if spares:
            return host.pid, spares[0]
        assert time.monotonic() < deadline, "the host keeps no spare"


def test_the_next_task_runs_in_a_process_that_was_there_before_its_order(os_world):
    os_world.write("return 1")
    _, spare = host_and_spare(os_world)

    ended = os_world.run()

    assert ended.result.outcome == "success"
    assert ended.pid == spare


def test_a_spare_that_was_killed_costs_no_task(os_world):
    os_world.write("return 1")
    host, spare = host_and_spare(os_world)

    os.kill(spare, signal.SIGKILL)
    wait_until_gone(spare, os_world)
    ended = os_world.run()

    assert ended.result.outcome == "success"
    assert ended.pid != spare
    assert [one.pid for one in os_world.processes._pool.all] == [host]


def test_a_spare_dies_with_its_host(os_world):
    os_world.write("return 1")
    host, spare = host_and_spare(os_world)

    os.kill(host, signal.SIGKILL)

    wait_until_gone(spare, os_world)


def test_an_order_that_cannot_be_handed_over_stays_with_the_host():
    ours, theirs = socket.socketpair()
    theirs.close()

    assert SpareProcess(1, ours).take(b"order", []) is False
    ours.close()


def test_a_spare_gets_its_order_with_its_descriptors_and_ends_when_it_is_let_go():
    ours, theirs = socket.socketpair()
    read_end, write_end = os.pipe()
    frames.send(ours, b"order", [write_end])
    os.close(write_end)

    received = wait_for_order(theirs, rehearses=True)

    assert received is not None
    assert received[0] == b"order"
    os.write(received[1][0], b"heard")
    assert os.read(read_end, 16) == b"heard"
    os.close(received[1][0])
    os.close(read_end)

    ours.close()
    ours, theirs = socket.socketpair()
    SpareProcess(1, ours).close()
    assert wait_for_order(theirs, rehearses=False) is None
