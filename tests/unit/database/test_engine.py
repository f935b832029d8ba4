"""Transactions on a real SQLite file, and what other programs do to it."""

from __future__ import annotations

import sqlite3
import threading

import pytest
from sqlalchemy import text
from tradewind.database.engine import Database
from tradewind.database.errors import DatabaseBusy, DatabaseError


@pytest.fixture
def database(tmp_path):
    made = Database(f"sqlite:///{tmp_path}/x.db")
    with made.write() as connection:
        connection.execute(text("CREATE TABLE t (n INTEGER)"))
    yield made
    made.close()


def count(database) -> int:
    with database.read() as connection:
        return connection.execute(text("SELECT count(*) FROM t")).scalar_one()


def test_what_fails_in_the_middle_leaves_nothing(database):
    def fail_in_the_middle() -> None:
        with database.write() as connection:
            connection.execute(text("INSERT INTO t VALUES (1)"))
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        fail_in_the_middle()

    assert count(database) == 0


def test_a_commit_is_on_disk_when_it_returns(database):
    with database.read() as connection:
        pragmas = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }

    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_a_writer_waits_for_another_programs_lock(database, tmp_path):
    other = sqlite3.connect(tmp_path / "x.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    release = threading.Timer(0.3, lambda: other.execute("COMMIT"))
    release.start()

    with database.write() as connection:
        connection.execute(text("INSERT INTO t VALUES (1)"))

    release.join()
    assert count(database) == 1
    other.close()


def test_a_lock_held_for_ever_ends_in_one_clear_error(database, tmp_path):
    database.busy_total_s = 0.0
    other = sqlite3.connect(tmp_path / "x.db", isolation_level=None, timeout=0)
    other.execute("BEGIN EXCLUSIVE")
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout=1")

    with pytest.raises(DatabaseBusy, match="kept the database locked"), database.write():
        pass

    other.close()


def test_a_reader_sees_one_state_while_a_writer_commits(database):
    with database.read() as reading:
        before = reading.execute(text("SELECT count(*) FROM t")).scalar_one()
        with database.write() as connection:
            connection.execute(text("INSERT INTO t VALUES (1)"))
        after = reading.execute(text("SELECT count(*) FROM t")).scalar_one()

    assert (before, after, count(database)) == (0, 0, 1)


def test_threads_that_write_at_once_lose_nothing(database):
    def write_many() -> None:
        for number in range(20):
            with database.write() as connection:
                connection.execute(text("INSERT INTO t VALUES (:n)"), {"n": number})

    threads = [threading.Thread(target=write_many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert count(database) == 80


@pytest.mark.parametrize("url", ["mysql://x/y", "not a url", "oracle://x"])
def test_other_databases_are_refused_in_one_line(url):
    with pytest.raises(DatabaseError) as caught:
        Database(url)

    assert "\n" not in str(caught.value)
