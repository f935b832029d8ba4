"""The scheduler's own ``/health``: 200 while it is at work, 503 when it is not."""

from __future__ import annotations

import http.client
import json
import logging
import socket
from datetime import UTC, datetime

import pytest
from tradewind.scheduler.beat import INTERVAL_S, Beat
from tradewind.scheduler.health_server import HealthServer
from tradewind.scheduler.health_signs import SignsOfLife
from tradewind.scheduler.quarantine import Quarantine
from tradewind.scheduler.step import Tick
from tradewind.sdk.clock import VirtualClock

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PATIENCE_S = 60.0
THRESHOLD_S = 30.0


@pytest.fixture
def clock():
    return VirtualClock(START)


@pytest.fixture
def signs(clock):
    return SignsOfLife(clock, THRESHOLD_S)


@pytest.fixture
def port(signs):
    with HealthServer(signs, "127.0.0.1", 0) as server:
        yield server.wait_for_port(PATIENCE_S)


def ask(port: int, path: str = "/health", method: str = "GET") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    connection.request(method, path)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, body


def test_a_scheduler_that_has_not_begun_is_unhealthy(port):
    status, body = ask(port)

    assert status == 503
    assert json.loads(body) == {"status": "unhealthy", "latest_scheduler_heartbeat": None}


def test_it_is_healthy_until_its_last_sign_is_older_than_the_threshold(port, signs, clock):
    signs.note()
    clock.advance(seconds=THRESHOLD_S)
    status, body = ask(port)
    assert status == 200
    assert json.loads(body) == {
        "status": "healthy",
        "latest_scheduler_heartbeat": START.isoformat(),
    }

    clock.advance(seconds=1)
    assert ask(port)[0] == 503

    signs.note()
    assert ask(port)[0] == 200


def test_only_health_is_answered_and_head_has_no_body(port, signs):
    signs.note()

    assert ask(port, "/health?probe=1")[0] == 200
    assert ask(port, method="HEAD") == (200, b"")
    assert ask(port, "/")[0] == 404
    assert ask(port, method="POST")[0] == 501


def test_a_client_that_says_nothing_holds_up_no_other(port, signs):
    signs.note()
    with socket.create_connection(("127.0.0.1", port)):
        assert ask(port)[0] == 200


def test_an_address_that_another_has_is_told_once_and_taken_when_it_is_free(signs, caplog):
    signs.note()
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        server = HealthServer(signs, "127.0.0.1", taken, bind_again_s=0.05)
        with caplog.at_level(logging.WARNING):
            server.__enter__()
            assert server.wait_for_port(0.3) is None
    try:
        assert server.wait_for_port(PATIENCE_S) == taken
        assert ask(taken)[0] == 200
    finally:
        server.__exit__()
    warnings = [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]
    assert [f":{taken} cannot be listened at" in text for text in warnings] == [True]


def test_leaving_closes_the_port(signs):
    with HealthServer(signs, "127.0.0.1", 0) as server:
        port = server.wait_for_port(PATIENCE_S)

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)


def test_a_sign_is_given_with_each_row_that_the_scheduler_writes(signs, clock):
    class Store:
        is_away = False

        class processes:  # noqa: N801 - stands for an attribute
            @staticmethod
            def beat(*_row: object) -> None:
                if Store.is_away:
                    raise ConnectionError

    beat = Beat(Store, clock, "scheduler", signs.note)
    beat.run(Tick(now=clock.now(), is_sweep=True, quarantine=Quarantine(clock)))
    Store.is_away = True
    clock.advance(seconds=INTERVAL_S)
    with pytest.raises(ConnectionError):
        beat.run(Tick(now=clock.now(), is_sweep=True, quarantine=Quarantine(clock)))

    assert signs.read() == (True, START)
