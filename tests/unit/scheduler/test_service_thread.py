"""A second loop in the process of another."""

from __future__ import annotations

import logging
import select
import subprocess
import sys
import threading
import time

from tradewind.runtime.supervise.progress import Progress
from tradewind.scheduler.process_keeper import HANG_TIMEOUT_S
from tradewind.scheduler.service_log import service_of
from tradewind.scheduler.service_thread import ServiceThread

FAILING = """
import threading
from tradewind.scheduler import service_thread
with service_thread.ServiceThread("triggerer", lambda progress, stop: 1 / 0):
    threading.Event().wait(60)
"""


def test_it_begins_beside_the_loop_of_the_process_and_ends_with_it():
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


def test_a_process_that_ends_before_its_time_has_come_does_not_begin_it():
    begun = threading.Event()

    def run(progress, stop):
        begun.set()
        return 0

    with ServiceThread("triggerer", run, not_before_s=time.monotonic() + 3600.0):
        pass

    assert not begun.is_set()


def test_one_that_is_started_again_after_its_time_waits_no_more():
    begun = threading.Event()

    def run(progress, stop):
        begun.set()
        return 0

    with ServiceThread("triggerer", run, not_before_s=time.monotonic() - 1.0):
        assert begun.wait(30.0)


def test_where_it_fails_the_process_ends_and_says_why():
    ended = subprocess.run(
        [sys.executable, "-c", FAILING], capture_output=True, text=True, timeout=60, check=False
    )

    assert ended.returncode == 1
    assert "triggerer failed" in ended.stderr
    assert "ZeroDivisionError" in ended.stderr


def test_a_process_is_taken_for_hanging_when_either_of_its_loops_is_silent():
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
