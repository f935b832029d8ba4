"""Bells over PostgreSQL: heard on other machines, and again after the server was away."""

from __future__ import annotations

import select
import signal
import time
from dataclasses import replace

import pytest
from postgresql_server import PostgresqlServer
from tradewind.database.bell import Bell
from tradewind.database.engine import Database
from tradewind.database.notify import DatabaseBell, DatabaseListener


@pytest.fixture
def open_database():
    opened: list[Database] = []

    def open_one(url: str) -> Database:
        opened.append(Database(url))
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()


def hears(listener, within_s: float = 20.0) -> bool:
    """Wait as the loops do: for the descriptor, a second at most, then drain."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        select.select([listener], [], [], min(0.2, within_s))
        if listener.drain():
            return True
    return False


def listening(database, name) -> DatabaseListener:
    listener = DatabaseListener(database, name)
    assert hears(listener)  # it says once that it has begun
    return listener


def test_who_listens_on_the_same_database_is_woken_and_nobody_else(make_postgresql, open_database):
    here, elsewhere = make_postgresql(), make_postgresql()
    ours = listening(open_database(here), "scheduler")
    web = listening(open_database(here), "web")
    foreign = listening(open_database(elsewhere), "scheduler")

    DatabaseBell(open_database(here)).ring("scheduler", "parser")

    assert hears(ours)
    assert not hears(web, within_s=0.1)
    assert not hears(foreign, within_s=0.1)
    for one in (ours, web, foreign):
        one.close()


def test_a_listener_never_waits_and_hears_again_when_the_server_is_back(open_database):
    server = PostgresqlServer()
    try:
        server.start()
        listener = listening(open_database(server.url), "runner")
        descriptor = listener.fileno()
        server.stop(signal.SIGQUIT)
        asked_s = time.monotonic()
        for _ in range(5):
            listener.drain()
        passed_s = time.monotonic() - asked_s
        server.start()

        assert hears(listener)  # it may have missed something
        assert listener.fileno() == descriptor
        DatabaseBell(open_database(server.url)).ring("runner")
        assert hears(listener)
        assert passed_s < 1
        listener.close()
    finally:
        server.close()


def test_ringing_without_a_server_does_nothing(open_database):
    DatabaseBell(open_database("postgresql://nobody@127.0.0.1:9/none")).ring("web")


def test_the_store_rings_over_its_own_kind_of_database(settings, tmp_path):
    from tradewind.database.store import Store

    store = Store(replace(settings, home=tmp_path))
    listener = store.listen("web", tmp_path)
    hears(listener, within_s=1 if store.database.is_sqlite else 20)

    store.bell.ring("web")

    assert hears(listener)
    assert (type(store.bell) is Bell) == store.database.is_sqlite
    listener.close()
    store.close()
