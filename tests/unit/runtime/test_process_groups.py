"""What an earlier runner left behind is found by its mark, and by nothing else."""

from __future__ import annotations

import os
import subprocess

from tradewind.runtime.supervise.entry_journal import EntryJournal
from tradewind.runtime.supervise.out_of_memory import OutOfMemoryWatch
from tradewind.runtime.supervise.process_groups import (
    RUNNER_VARIABLE,
    find_leftovers,
    kill_leftovers,
    process_started_at,
    runner_mark,
)
from tradewind.runtime.supervise.runner_slot import RunnerSlot


def sleeper(mark: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, RUNNER_VARIABLE: mark}
    return subprocess.Popen(["sleep", "300"], env=environment, start_new_session=True)


def test_leftovers_of_this_slot_are_killed_and_others_are_not():
    old, own, other = (
        sleeper(mark)
        for mark in (
            runner_mark("slot-of-this-test", "old"),
            runner_mark("slot-of-this-test", "own"),
            runner_mark("slot-of-another", "old"),
        )
    )
    try:
        assert find_leftovers("slot-of-this-test", "own") == [old.pid]

        assert kill_leftovers("slot-of-this-test", "own") == 1

        assert old.wait(timeout=5) == -9
        assert own.poll() is None
        assert other.poll() is None
    finally:
        for process in (old, own, other):
            process.kill()
            process.wait()


def test_a_slot_is_held_by_one_runner_and_says_by_which(tmp_path):
    first, second = RunnerSlot(tmp_path), RunnerSlot(tmp_path)
    assert first.holder() is None

    assert first.acquire()

    assert not second.acquire()
    assert second.holder() == os.getpid()
    first.release()
    assert second.acquire()
    second.release()


def test_two_slots_of_one_home_and_one_slot_of_two_homes_differ(tmp_path):
    ids = {
        RunnerSlot(tmp_path).id,
        RunnerSlot(tmp_path, "other").id,
        RunnerSlot(tmp_path / "home").id,
    }

    assert len(ids) == 3


def test_a_pid_is_known_with_its_start():
    assert process_started_at(os.getpid()) > 0
    assert process_started_at(2**22 + 1) is None


def test_a_journal_that_was_never_written_knows_nothing(tmp_path):
    journal = EntryJournal(tmp_path / "entered")
    assert journal.entered() is None
    os.write(journal.descriptor, b"1-1\n2-1\n")
    journal.close()

    again = EntryJournal(tmp_path / "entered")

    assert again.entered() == {"1-1", "2-1"}
    again.empty()
    assert again.entered() == set()
    again.close()


def test_a_step_of_the_kernels_counter_is_evidence_once(tmp_path):
    counters = tmp_path / "proc" / "vmstat"
    counters.parent.mkdir()
    counters.write_text("pgfault 12\noom_kill 3\n")
    watch = OutOfMemoryWatch(tmp_path)
    assert not watch.has_killed()

    counters.write_text("pgfault 99\noom_kill 4\n")

    assert watch.has_killed()
    assert not watch.has_killed()


def test_a_process_that_has_ended_is_gone_although_nobody_has_reaped_it():
    process = subprocess.Popen(["true"])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)

    assert process_started_at(process.pid) is None
    assert process_started_at(os.getpid()) is not None
    process.wait()
