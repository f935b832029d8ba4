"""Machines of a cluster agree on the database's time, whatever their own clocks show."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from tradewind.database.clock import DatabaseClock, measure_skew_s
from tradewind.database.engine import Database
from tradewind.sdk.clock import Clock, WallClock


class WrongClock(Clock):
    """A machine's clock that is off by some hours."""

    def __init__(self, hours: float) -> None:
        self._wall = WallClock()
        self._off = timedelta(hours=hours)

    def now(self):
        return self._wall.now() + self._off

    def monotonic(self) -> float:
        return self._wall.monotonic()


@pytest.fixture
def database(make_postgresql):
    opened = Database(make_postgresql())
    yield opened
    opened.close()


@pytest.mark.parametrize("hours", [-24.0, 1.0])
def test_a_clock_that_is_hours_off_is_put_right_and_said_once(database, hours, caplog):
    clock = DatabaseClock(database, WrongClock(hours))

    with caplog.at_level(logging.WARNING):
        first = clock.now()
        second = clock.now()

    assert abs((first - WallClock().now()).total_seconds()) < 5
    assert second >= first
    warnings = [
        record for record in caplog.records if "differs from the database" in record.message
    ]
    assert len(warnings) == 1
    assert f"{hours * 3600:.0f}"[:3] in warnings[0].message


def test_a_clock_that_is_right_is_left_alone(database):
    assert measure_skew_s(database, WallClock()) == pytest.approx(0.0, abs=1.0)


def test_a_database_that_is_away_leaves_the_last_answer(database):
    clock = DatabaseClock(database, WrongClock(3.0))
    clock.now()
    clock._database = Database("postgresql://nobody@127.0.0.1:1/gone")
    clock._due_s = 0.0

    assert abs((clock.now() - WallClock().now()).total_seconds()) < 5


def test_sqlite_has_this_machines_clock(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/x.db")

    assert measure_skew_s(database, WrongClock(5.0)) == 0.0
