"""The zygote forks, reports exits, and takes its children with it."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterator

import pytest
from tradewind.runtime.supervise.zygote_client import ZygoteClient, ZygoteDied, describe_exit


@pytest.fixture
def zygote() -> Iterator[ZygoteClient]:
    client = ZygoteClient()
    client.start()
    yield client
    client.stop()


def next_exit(client: ZygoteClient) -> tuple[int, int]:
    while True:
        if not client.has_exits:
            ready, _, _ = select.select([client.fileno()], [], [], 20)
            assert ready, "no exit was reported within 20 s"
        exits = client.poll()
        if exits:
            return exits[0]


def test_a_child_that_fails_is_reported_with_its_exit_code(zygote):
    pid = zygote.fork("no such kind", b"")

    exited, status = next_exit(zygote)

    assert (exited, describe_exit(status)) == (pid, (1, None))


def test_several_children_are_reported_each_once(zygote):
    pids = {zygote.fork("no such kind", b"") for _ in range(5)}

    seen: list[int] = []
    while len(seen) < 5:
        seen.extend(pid for pid, _ in zygote.poll())
        if len(seen) < 5:
            ready, _, _ = select.select([zygote.fileno()], [], [], 20)
            assert ready, "not all exits were reported within 20 s"

    assert sorted(seen) == sorted(pids)


def test_a_killed_zygote_is_noticed_and_can_be_started_again(zygote):
    zygote.fork("no such kind", b"")
    os.kill(zygote.pid, signal.SIGKILL)

    def wait_for_the_end():
        next_exit(zygote)  # the child's own exit may be reported before
        next_exit(zygote)

    with pytest.raises(ZygoteDied):
        wait_for_the_end()

    zygote.stop()
    zygote.start()
    assert zygote.fork("no such kind", b"") > 0


def test_stopping_the_client_ends_the_zygote(zygote):
    zygote.fork("no such kind", b"")
    pid = zygote.pid

    zygote.stop()

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_an_exit_that_comes_while_another_child_is_forked_is_not_lost(zygote):
    first = zygote.fork("no such kind", b"")
    if not zygote.has_exits:
        assert select.select([zygote.fileno()], [], [], 20)[0]

    second = zygote.fork("no such kind", b"")

    assert zygote.has_exits
    assert next_exit(zygote)[0] == first
    assert next_exit(zygote)[0] == second
