"""A page that cannot be served where it should be says so before anything starts."""

from __future__ import annotations

import socket

import pytest
from tradewind.cli.main import run
from tradewind.webserver.address import AddressTaken, check_address, shown_address


@pytest.fixture
def taken_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("command", ["webserver", "api-server", "standalone"])
def test_a_taken_port_is_one_line(command, taken_port, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TRADEWIND_HOME", str(tmp_path))

    code = run([command, "-p", str(taken_port), "-H", "127.0.0.1"])

    assert code == 1
    error = capsys.readouterr().err
    assert f"cannot be served at 127.0.0.1:{taken_port}: Address already in use" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "tradewind.db").exists()


@pytest.mark.parametrize(
    ("host", "port", "reason"),
    [
        ("127.0.0.1", 0, "a port is a number from 1 to 65535"),
        ("127.0.0.1", 99_999, "a port is a number from 1 to 65535"),
        ("198.51.100.1", 8080, "Cannot assign requested address"),
    ],
)
def test_an_address_that_cannot_be_is_refused_with_the_reason(host, port, reason):
    with pytest.raises(AddressTaken, match=reason):
        check_address(host, port)


def test_an_ipv6_address_stands_in_brackets():
    assert (shown_address("::1", 80), shown_address("localhost", 80)) == (
        "[::1]:80",
        "localhost:80",
    )
