"""A process that hangs is noticed, named and replaced; SIGSTOP makes it hang."""

from __future__ import annotations

import os
import signal
import urllib.request
from pathlib import Path

import pytest
from chaos_driver import Chaos, is_at_rest, wait_until
from chaos_scene import Scene
from deployment import Deployment

#: Names of members, and of their processes.
MEMBERS = {
    "runner": "tradewind-runne",
    "scheduler": "tradewind-sched",
    "parser": "tradewind-parse",  # the triggerer's loop is in it, too
    "web": "tradewind-web",
}


@pytest.fixture
def deployment():
    with Deployment({}) as made:
        made.environment["TRADEWIND__STANDALONE__HANG_TIMEOUT_S"] = "8"
        made.environment["TRADEWIND__SCHEDULER__LEASE_S"] = "6"
        yield made


def leaders(chaos: Chaos, name: str) -> list[int]:
    """Return the processes of one name whose parent has another name: members, not their own."""
    found = chaos.pids([name])
    return [pid for pid in found if parent_of(pid) not in found]


def parent_of(pid: int) -> int:
    """Return a process's parent, 0 if it is gone."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    return int(status.rpartition(")")[2].split()[1])


def work_once(deployment: Deployment, scene: Scene) -> None:
    """See one run through: then all members are past their start, whose limit is longer."""
    assert wait_until(lambda: is_served(deployment), 60.0) is not None
    scene.trigger(1)
    assert wait_until(lambda: is_at_rest(deployment, 1), 90.0) is not None


def is_served(deployment: Deployment) -> bool:
    """Whether the page answers."""
    port = deployment.environment["TRADEWIND__API__PORT"]
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/login", timeout=2) as page:
            return page.status == 200
    except OSError:
        return False


def test_each_process_that_hangs_is_named_and_replaced(deployment):
    scene = Scene(deployment, width=4, longest_s=0.3)
    chaos = Chaos(deployment, seed=1)
    work_once(deployment, scene)
    stopped = {name: leaders(chaos, comm) for name, comm in MEMBERS.items()}
    scene.trigger(1)
    for pids in stopped.values():
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)

    def is_replaced() -> bool:
        return all(
            (now := leaders(chaos, comm)) and not set(now) & set(stopped[name])
            for name, comm in MEMBERS.items()
        )

    assert wait_until(is_replaced, 90.0) is not None
    scene.trigger(1)
    assert wait_until(lambda: is_at_rest(deployment, 3), 90.0) is not None
    assert wait_until(lambda: is_served(deployment), 60.0) is not None
    said = (deployment.home / "server.out").read_text()
    for name in MEMBERS:
        assert f"{name} made no progress for" in said
        assert f"{name} was ended by signal 9 (SIGKILL); it is started again" in said
    assert scene.violations() == []


def test_a_worker_of_the_page_that_hangs_is_replaced(deployment):
    scene = Scene(deployment, width=1, longest_s=0.1)
    chaos = Chaos(deployment, seed=1)
    assert wait_until(lambda: is_served(deployment), 60.0) is not None
    name = MEMBERS["web"]
    (arbiter,) = leaders(chaos, name)
    (worker,) = [pid for pid in chaos.pids([name]) if parent_of(pid) == arbiter]

    os.kill(worker, signal.SIGSTOP)

    assert wait_until(lambda: worker not in chaos.pids([name]), 60.0) is not None
    assert wait_until(lambda: is_served(deployment), 60.0) is not None
    assert leaders(chaos, name) == [arbiter]
    assert scene.violations() == []


def test_a_runner_that_hangs_although_nobody_watches_it_any_more_is_replaced(deployment):
    """The command was killed, and its runner, which outlives it, hangs: a wedge, once."""
    scene = Scene(deployment, width=2, longest_s=0.3)
    chaos = Chaos(deployment, seed=1)
    work_once(deployment, scene)
    (runner,) = chaos.pids([MEMBERS["runner"]])
    os.kill(runner, signal.SIGSTOP)
    os.kill(deployment._server.pid, signal.SIGKILL)
    deployment.wait_server()

    deployment.start()
    scene.trigger(1)

    assert wait_until(lambda: is_at_rest(deployment, 2), 90.0) is not None
    assert runner not in chaos.pids([MEMBERS["runner"]])
    logs = "".join(path.read_text() for path in (deployment.home / "logs").glob("*.log"))
    assert (
        f"the runner with pid {runner} hangs" in logs + (deployment.home / "server.out").read_text()
    )
    assert scene.violations() == []
