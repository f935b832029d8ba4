"""Writers of one SQLite file take fair turns, over processes."""

from __future__ import annotations

import fcntl
import sqlite3
import threading

import pytest
from tradewind.database import sqlite_turns
from tradewind.database.sqlite_turns import Turns, pause_s


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "x.db")


@pytest.fixture
def pauses(monkeypatch):
    taken: list[float] = []
    monkeypatch.setattr(sqlite_turns.time, "sleep", taken.append)
    return taken


def test_who_has_just_written_lets_one_that_waits_go_first(path, pauses):
    mine, others = Turns(path), Turns(path)
    mine.ended()
    others._say(fcntl.LOCK_SH)

    mine.let_others_go_first()

    assert pauses == [sqlite_turns.YIELD_S]


def test_nobody_pauses_where_nobody_waits(path, pauses):
    mine, others = Turns(path), Turns(path)
    mine.ended()
    others._say(fcntl.LOCK_SH)
    others.close()  # as the kernel does for a process that was killed

    mine.let_others_go_first()

    assert pauses == []


def test_the_longer_one_has_waited_the_more_often_it_asks():
    pauses = [pause_s(waited_s) for waited_s in (0.0, 0.02, 0.05)]

    assert pauses == sorted(pauses, reverse=True)
    assert len(set(pauses)) == 3


def test_a_turn_that_does_not_come_is_given_up_in_time(path):
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    waiter = sqlite3.connect(path, isolation_level=None)

    assert Turns(path).begin(waiter, 0.05) is False


def test_a_turn_comes_when_the_other_is_done(path):
    holder = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.1, lambda: holder.execute("COMMIT"))
    release.start()

    waiter = sqlite3.connect(path, isolation_level=None)

    assert Turns(path).begin(waiter, 10.0) is True
    release.join()
