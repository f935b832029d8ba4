"""A second loop in the process of another."""

from __future__ import annotations

import logging
import select
import subprocess
import sys
import threading

from tradewind.runtime.supervise.progress import Progress
from tradewind.scheduler import service_thread
from tradewind.scheduler.process_keeper import HANG_TIMEOUT_S
from tradewind.scheduler.service_log import service_of
from tradewind.scheduler.service_thread import ServiceThread

FAILING = """
import threading
from tradewind.scheduler import service_thread
service_thread.START_DELAY_S = 0.0
with service_thread.ServiceThread("triggerer", lambda progress, stop: 1 / 0):
    threading.Event().wait(60)
"""


def test_it_begins_beside_the_loop_of_the_process_and_ends_with_it(monkeypatch):
    monkeypatch.setattr(service_thread, "START_DELAY_S", 0.0)
    has_begun, has_ended = threading.Event(), threading.Event()

    def run(progress, stop):
        has_begun.set()
        select.select([stop], [], [], 60.0)
        assert stop.is_made
        has_ended.set()
        return 0

    with ServiceThread("triggerer", run):
        assert has_begun.wait(30.0)
        assert not has_ended.is_set()

    assert has_ended.is_set()


def test_a_process_that_ends_at_once_does_not_begin_it():
    with ServiceThread("triggerer", lambda progress, stop: sys.exit("it began")):
        pass


def test_where_it_fails_the_process_ends_and_says_why():
    ended = subprocess.run(
        [sys.executable, "-c", FAILING], capture_output=True, text=True, timeout=60, check=False
    )

    assert ended.returncode == 1
    assert "triggerer failed" in ended.stderr
    assert "ZeroDivisionError" in ended.stderr


def test_a_process_is_taken_for_hanging_when_either_of_its_loops_is_silent(monkeypatch):
    monkeypatch.setattr(service_thread, "START_DELAY_S", 3600.0)
    shown = Progress()
    service = ServiceThread("triggerer", lambda progress, stop: 0)
    both = service.progress_of_both(shown)

    both.note(1.0)
    assert shown.silent_s(1.0 + HANG_TIMEOUT_S) == HANG_TIMEOUT_S  # the other has not begun
    service._progress.note(2.0)
    both.note(2.0 + HANG_TIMEOUT_S)
    assert shown.silent_s(2.0 + HANG_TIMEOUT_S) == 0.0
    both.note(3.0 + HANG_TIMEOUT_S)  # by now the other hangs
    assert shown.silent_s(3.0 + HANG_TIMEOUT_S) == 1.0


def test_its_log_lines_carry_its_own_name():
    def record(thread_name):
        made = logging.makeLogRecord({"msg": "x"})
        made.threadName = thread_name
        return made

    assert service_of(record("triggerer"), "parser") == "triggerer"
    assert service_of(record("MainThread"), "parser") == "parser"
