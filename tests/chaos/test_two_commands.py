"""Two people start everything in one home: one serves, the other stands by, and takes over."""

from __future__ import annotations

import os
import signal
import socket

import pytest
from chaos_driver import is_at_rest, wait_until
from chaos_scene import Scene
from deployment import Deployment


@pytest.fixture
def deployment():
    with Deployment({}) as made:
        yield made


def said(deployment: Deployment) -> str:
    return (deployment.home / "server.out").read_text()


def test_a_second_command_says_whom_it_waits_for_and_takes_over_when_that_is_killed(deployment):
    scene = Scene(deployment, width=2, longest_s=0.2)
    first = deployment._server
    deployment.start()
    second = deployment._server
    assert second.wait(timeout=120) == 1  # the page's port is taken: one line
    assert "cannot be served at" in said(deployment)

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        deployment.environment["TRADEWIND__API__PORT"] = str(probe.getsockname()[1])
    deployment.start()
    waiting = "scheduler     INFO    standing by: the scheduler with pid"
    assert wait_until(lambda: waiting in said(deployment), 60.0) is not None
    scene.trigger(1)
    assert wait_until(lambda: is_at_rest(deployment, 1), 60.0) is not None

    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    scene.trigger(1)

    assert wait_until(lambda: is_at_rest(deployment, 2), 60.0) is not None
    over = "the other scheduler is gone; this one takes over"
    assert wait_until(lambda: over in said(deployment), 60.0) is not None
    assert scene.violations() == []
