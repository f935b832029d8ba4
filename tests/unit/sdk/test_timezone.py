"""Instants as DAG authors write them, and clocks."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from threading import Thread
from zoneinfo import ZoneInfo

import pendulum
import pytest
from dateutil.relativedelta import relativedelta
from tradewind.sdk import timezone as tw
from tradewind.sdk.clock import VirtualClock, WallClock

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
NAIVE = datetime(2024, 1, 1, 12)  # noqa: DTZ001 - naive values are what is tested
PARIS = ZoneInfo("Europe/Paris")


@pytest.fixture(autouse=True)
def _default_zone(monkeypatch):
    monkeypatch.setenv("AIRFLOW__CORE__DEFAULT_TIMEZONE", "Asia/Kolkata")


def test_a_frozen_clock_stands_still_in_its_own_thread_only():
    seen: list[datetime] = []

    with tw.frozen(NOON):
        thread = Thread(target=lambda: seen.append(tw.utcnow()))
        thread.start()
        thread.join()
        with tw.frozen(NOON + timedelta(hours=1)):
            assert tw.utcnow() == NOON + timedelta(hours=1)
        assert tw.utcnow() == NOON

    assert seen[0] > NOON
    assert tw.utcnow() > NOON


def test_the_clock_cannot_be_held_at_a_naive_instant():
    with pytest.raises(ValueError, match="no time zone"), tw.frozen(NAIVE):
        pass


def test_naive_values_are_in_the_default_time_zone():
    assert tw.make_aware(NAIVE).utcoffset() == timedelta(hours=5, minutes=30)
    assert tw.convert_to_utc(NAIVE) == datetime(2024, 1, 1, 6, 30, tzinfo=UTC)
    assert tw.datetime(2024, 1, 1, 12) == datetime(2024, 1, 1, 6, 30, tzinfo=UTC)
    assert tw.parse("2024-01-01 12:00") == datetime(2024, 1, 1, 6, 30, tzinfo=UTC)
    assert tw.coerce_datetime(NAIVE) == datetime(2024, 1, 1, 6, 30, tzinfo=UTC)


def test_a_zone_that_is_named_wins():
    assert tw.make_aware(NAIVE, PARIS) == datetime(2024, 1, 1, 11, tzinfo=UTC)
    assert tw.parse("2024-01-01", timezone=PARIS) == datetime(2023, 12, 31, 23, tzinfo=UTC)
    assert tw.parse("2024-01-01T12:00:00+00:00", timezone=PARIS) == NOON
    assert tw.coerce_datetime(NAIVE, tz=UTC) == NOON
    assert tw.make_naive(NOON, PARIS) == datetime(2024, 1, 1, 13)  # noqa: DTZ001


def test_what_authors_get_is_pendulums():
    for value in (
        tw.convert_to_utc(NOON),
        tw.parse("2024-01-01"),
        tw.coerce_datetime(NOON),
        tw.from_timestamp(0),
    ):
        assert isinstance(value, pendulum.DateTime)


def test_nothing_stays_nothing():
    assert tw.convert_to_utc(None) is None
    assert tw.make_aware(None) is None
    assert tw.coerce_datetime(None) is None
    assert tw.td_format(None) is None


def test_an_aware_value_is_not_made_aware_nor_a_naive_one_naive():
    with pytest.raises(ValueError, match="make_aware expects"):
        tw.make_aware(NOON)
    with pytest.raises(ValueError, match="make_naive"):
        tw.make_naive(NAIVE)


def test_localized_and_naive_are_told_apart():
    assert tw.is_localized(NOON)
    assert not tw.is_naive(NOON)
    assert tw.is_naive(NAIVE)
    assert not tw.is_localized(NAIVE)


def test_a_plain_instant_is_of_the_standard_class():
    plain = tw.plain_utc(pendulum.datetime(2024, 1, 1, 13, tz="Europe/Paris"))

    assert type(plain) is datetime
    assert plain == NOON
    assert plain.tzinfo is UTC


@pytest.mark.parametrize(
    ("zone", "name"),
    [
        (UTC, "UTC"),
        (PARIS, "Europe/Paris"),
        (pendulum.timezone("Europe/Paris"), "Europe/Paris"),
        (pendulum.UTC, "UTC"),
        (pendulum.FixedTimezone(19800), "+05:30"),
        (timezone(timedelta(hours=-3)), "-03:00"),
        (timezone(timedelta(hours=-3, minutes=-30)), "-03:30"),
    ],
)
def test_a_zone_comes_back_from_its_name(zone, name):
    assert tw.timezone_name(zone) == name
    again = tw.parse_timezone(name)
    assert NOON.astimezone(again).utcoffset() == NOON.astimezone(zone).utcoffset()
    assert tw.timezone_name(tw.normalise_timezone(zone)) == name


@pytest.mark.parametrize("name", ["Mars/Olympus", "+x", "", "../etc/passwd"])
def test_there_are_zones_that_there_are_not(name):
    with pytest.raises(ValueError, match="no time zone"):
        tw.parse_timezone(name)


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(days=1, hours=2, minutes=3, seconds=4), "1d:2h:3M:4s"),
        (90, "1M:30s"),
        (relativedelta(hours=1), "1h"),
        (timedelta(milliseconds=5), "<1s"),
        (0, None),
    ],
)
def test_a_length_of_time_is_told_in_a_few_letters(length, text):
    assert tw.td_format(length) == text


def test_pendulum_is_not_loaded_before_it_is_needed():
    code = (
        "import sys; from tradewind.sdk import timezone; timezone.utcnow();"
        "sys.exit('pendulum' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_virtual_clock_moves_by_hand_and_its_steady_time_never_back():
    clock = VirtualClock(NOON)

    assert clock.advance(minutes=1, seconds=30) == NOON + timedelta(seconds=90)
    clock.set(NOON - timedelta(days=1))

    assert clock.now() == NOON - timedelta(days=1)
    assert clock.monotonic() == 90.0
    with pytest.raises(ValueError, match="not negative"):
        clock.advance(seconds=-1)
    with pytest.raises(ValueError, match="naive"):
        clock.set(NAIVE)


def test_the_wall_clock_shows_aware_instants():
    clock = WallClock()

    assert clock.now().tzinfo is UTC
    assert clock.monotonic() <= clock.monotonic()
