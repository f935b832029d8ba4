"""Connections to PostgreSQL: after a restart of the server, and as a lock of a whole cluster."""

from __future__ import annotations

import signal

import psycopg
import pytest
from postgresql_server import PostgresqlServer
from sqlalchemy import text
from tradewind.database.engine import Database
from tradewind.database.postgresql import PARSER_KEY
from tradewind.database.session_lock import SessionLock


@pytest.fixture
def database(make_postgresql):
    made = Database(make_postgresql())
    yield made
    made.close()


def one(database: Database) -> int:
    with database.write() as connection:
        return int(connection.execute(text("SELECT 1")).scalar_one())


def test_a_restart_of_the_server_costs_a_pool_no_failed_transaction():
    server = PostgresqlServer()
    try:
        server.start()
        database = Database(server.url)
        assert one(database) == 1
        server.stop(signal.SIGINT)
        server.start()

        assert one(database) == 1
        database.close()
    finally:
        server.close()


def test_a_session_of_ours_is_ended_when_it_does_nothing_in_a_transaction(database):
    with database.read() as connection:
        limits = {
            name: connection.execute(text(f"SHOW {name}")).scalar_one()
            for name in ("idle_in_transaction_session_timeout", "lock_timeout", "timezone")
        }

    assert limits == {
        "idle_in_transaction_session_timeout": "10s",
        "lock_timeout": "30s",
        "timezone": "UTC",
    }


def test_readers_see_one_state_and_cannot_write(database):
    with database.write() as connection:
        connection.execute(text("CREATE TABLE t (n int)"))
    with database.read() as reading:
        before = reading.execute(text("SELECT count(*) FROM t")).scalar_one()
        with database.write() as connection:
            connection.execute(text("INSERT INTO t VALUES (1)"))
        after = reading.execute(text("SELECT count(*) FROM t")).scalar_one()

    assert (before, after) == (0, 0)


def test_one_holds_the_lock_of_a_cluster_and_another_takes_over(database):
    first, second = SessionLock(database, PARSER_KEY), SessionLock(database, PARSER_KEY)
    assert first.acquire()
    assert not second.acquire()
    assert not first.is_lost()

    with psycopg.connect(_plain(database), autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory' AND"
            " database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )

    assert second.acquire()
    assert first.is_lost()
    second.release()
    assert first.acquire()
    first.release()


def test_a_lock_whose_connection_was_lost_is_taken_again_if_nobody_else_has_it(database):
    lock = SessionLock(database, PARSER_KEY)
    assert lock.acquire()
    with psycopg.connect(_plain(database), autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory' AND"
            " database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )

    assert not lock.is_lost()
    other = SessionLock(database, PARSER_KEY)
    assert not other.acquire()
    lock.release()


def _plain(database: Database) -> str:
    return database.url.set(drivername="postgresql").render_as_string(hide_password=False)
