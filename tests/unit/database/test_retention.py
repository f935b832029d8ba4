"""What nobody asks for again goes, a little at a time; what waits, or was lately, stays."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import insert, select
from tradewind.database import retention
from tradewind.database.tables import outbox, worker


def beat(house) -> None:
    house.store.processes.beat("scheduler", "s1", "host", 1, house.now)


@pytest.fixture
def add_messages(house):
    def add(state: str, age_days: float, count: int = 1) -> None:
        at = house.now - timedelta(days=age_days)
        row = {"kind": "k", "dag_id": "d", "payload": {}, "state": state, "created_at": at}
        with house.store.database.write() as connection:
            connection.execute(insert(outbox), [{**row, "due_at": at}] * count)

    return add


def states(house) -> list[str]:
    with house.store.database.read() as connection:
        return list(connection.execute(select(outbox.c.state).order_by(outbox.c.id)).scalars())


def test_old_messages_go_unless_they_wait(house, add_messages):
    for state in ("done", "parked", "waiting"):
        add_messages(state, age_days=8)
        add_messages(state, age_days=1)

    beat(house)

    assert states(house) == ["done", "parked", "waiting", "waiting"]


def test_a_flood_of_old_messages_goes_in_portions(house, add_messages, monkeypatch):
    monkeypatch.setattr(retention, "ROWS_AT_ONCE", 10)
    add_messages("done", age_days=8, count=25)

    left = []
    for _ in range(3):
        beat(house)
        left.append(len(states(house)))

    assert left == [15, 5, 0]


def test_runners_that_ended_long_ago_go_and_living_ones_stay(house):
    house.register("worker-2")
    house.store.workers.declare_dead("worker-2", house.now, "gone")
    house.pass_time(days=8)

    beat(house)

    with house.store.database.read() as connection:
        assert list(connection.execute(select(worker.c.id)).scalars()) == ["worker-1"]
