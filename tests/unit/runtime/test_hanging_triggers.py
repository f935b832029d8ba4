"""A trigger that blocks the event loop fails, and holds up no other for long."""

from __future__ import annotations

import json
import os
import signal
import time
from datetime import UTC, datetime

import pytest
from tradewind.database.values import ClaimedTrigger
from tradewind.runtime.supervise.trigger_process import OsTriggerProcess

AT = datetime(2026, 1, 1, tzinfo=UTC)
USERS = """
import asyncio, logging, os, sys, time
from tradewind.sdk.triggers import BaseTrigger, TriggerEvent

class Blocking(BaseTrigger):
    def serialize(self):
        return "hanging.Blocking", {}
    async def run(self):
        await asyncio.sleep(0)
        time.sleep(3600)
        yield TriggerEvent("never")

class Ending(BaseTrigger):
    def __init__(self, how):
        super().__init__()
        self.how = how
    def serialize(self):
        return "hanging.Ending", {"how": self.how}
    async def run(self):
        await asyncio.sleep(0)
        if self.how == "exit":
            sys.exit(3)
        if self.how == "interrupt":
            raise KeyboardInterrupt
        if self.how == "cancel":
            raise asyncio.CancelledError
        if self.how == "no text":
            logging.getLogger("mine").warning("\\ud800 is logged")
            raise ValueError("\\ud800 is raised")
        if self.how == "in a task of its own":
            await asyncio.create_task(self.leave())
        os._exit(7)
        yield
    async def leave(self):
        await asyncio.sleep(0)
        os._exit(7)

class Waiting(BaseTrigger):
    def serialize(self):
        return "hanging.Waiting", {}
    async def run(self):
        await asyncio.sleep(3600)
        yield TriggerEvent("never")
"""


@pytest.fixture
def make_process(tmp_path):
    (tmp_path / "hanging.py").write_text(USERS)
    made = []

    def make(**limits):
        process = OsTriggerProcess(environment=os.environ, import_folders=[str(tmp_path)], **limits)
        made.append(process)
        return process

    yield make
    for process in made:
        process.stop()


def trigger(number, name, kwargs="{}"):
    return ClaimedTrigger(number, f"hanging.{name}", kwargs, None, "d", "r", name, -1, 1, AT)


def listen(process, until, seconds=40.0):
    """Return all reports up to when *until* holds of what was heard."""
    reports = []
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        heard = process.wait(0.2)
        reports += heard.reports
        if until(heard):
            return reports
    raise AssertionError(f"not in {seconds} s; heard {reports}")


def test_the_trigger_that_blocks_fails_with_the_place_where_it_stands(make_process):
    process = make_process(blocked_max_s=1.0)
    process.run(trigger(1, "Waiting"))
    process.run(trigger(2, "Blocking"))

    reports = listen(process, lambda heard: heard.has_died)

    assert [report.trigger_id for report in reports] == [2]
    assert "blocked all other triggers for 1 s" in reports[0].error
    assert "time.sleep(3600)" in reports[0].error


def test_a_process_that_says_nothing_at_all_is_ended(make_process):
    process = make_process(blocked_max_s=6.0, silence_margin_s=0.0)
    process.run(trigger(1, "Waiting"))
    os.kill(process._process.pid, signal.SIGSTOP)

    assert listen(process, lambda heard: heard.has_died) == []
    assert process._process is None


def test_a_loop_that_only_waits_is_left_alone(make_process):
    process = make_process(blocked_max_s=1.0)
    process.run(trigger(1, "Waiting"))

    deadline = time.monotonic() + 3.0
    while time.monotonic() < deadline:
        assert not process.wait(0.5).has_died


@pytest.mark.parametrize("how", ["exit", "interrupt", "cancel", "no text"])
def test_a_trigger_that_leaves_by_an_exit_fails_alone(make_process, how):
    process = make_process()
    process.run(trigger(1, "Waiting"))
    process.run(trigger(2, "Ending", json.dumps({"how": how})))

    reports = listen(process, lambda heard: heard.reports or heard.has_died)

    assert [report.trigger_id for report in reports] == [2]
    assert not process.wait(0.2).has_died


@pytest.mark.parametrize("how", ["at once", "in a task of its own"])
def test_the_trigger_that_ends_the_process_of_all_fails(make_process, how):
    process = make_process()
    process.run(trigger(1, "Waiting"))
    process.run(trigger(2, "Ending", json.dumps({"how": how})))

    reports = listen(process, lambda heard: heard.has_died)

    assert [report.trigger_id for report in reports] == [2]
    assert "exit code 7" in reports[0].error


def test_nobody_is_blamed_for_a_process_that_was_killed(make_process):
    process = make_process()
    process.run(trigger(1, "Waiting"))
    process.wait(1.0)
    os.kill(process._process.pid, signal.SIGKILL)

    assert listen(process, lambda heard: heard.has_died) == []
