"""The event log is followed without a gap, also where commits come in another order."""

from __future__ import annotations

import pytest
from tradewind.database.event_follower import EventFollower, LogReplaced
from tradewind.database.event_writes import Event, write_events
from tradewind.database.locking import Locking


def record(house, kind: str) -> None:
    house.store.events.record(kind, actor="user:me", now=house.now)


def kinds(rows) -> list[str]:
    return [row.kind for row in rows]


def test_each_entry_is_handed_out_once_and_in_order(house):
    follower = EventFollower(house.store, house.store.events.last_id())
    record(house, "first")
    record(house, "second")

    assert kinds(follower.take()) == ["first", "second"]
    record(house, "third")
    assert kinds(follower.take()) == ["third"]
    assert follower.take() == []


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite has one writer
def test_an_entry_whose_number_was_taken_earlier_is_handed_out_when_it_appears(house):
    follower = EventFollower(house.store, house.store.events.last_id())
    with house.store.database.write(Locking.ROWS) as connection:
        write_events(connection, [Event("slow", "user:me")], house.now)
        with house.store.database.write(Locking.ROWS) as other:
            write_events(other, [Event("quick", "user:me")], house.now)
        assert kinds(follower.take()) == ["quick"]

    assert kinds(follower.take()) == ["slow"]


def test_a_log_that_became_shorter_is_told_once_and_followed_from_its_end(house):
    """A backup was restored, or a server took over that had not heard of the last commits."""
    record(house, "kept")
    newest = house.store.events.last_id()
    follower = EventFollower(house.store, newest + 100)

    with pytest.raises(LogReplaced):
        follower.take()

    assert follower.take() == []
    record(house, "new")
    assert kinds(follower.take()) == ["new"]


def test_what_was_handed_out_is_forgotten_after_a_while(house):
    at_s = [0.0]
    follower = EventFollower(house.store, house.store.events.last_id(), monotonic=lambda: at_s[0])
    for number in range(20):
        record(house, f"event {number}")
        at_s[0] += 1.0
        assert kinds(follower.take()) == [f"event {number}"]

    assert len(follower._handed) <= 3
