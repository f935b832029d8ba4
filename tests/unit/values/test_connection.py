"""Connections as URI, JSON and fields (semantics section 8.5)."""

from __future__ import annotations

import json

import pytest
from tradewind.sdk.connection import Connection
from tradewind.sdk.exceptions import AirflowException, AirflowNotFoundException
from tradewind.sdk.secrets_masker import mask, masker


@pytest.fixture(autouse=True)
def no_secrets():
    yield
    masker.forget_all()


def fields(connection):
    return (
        connection.conn_type,
        connection.host,
        connection.schema,
        connection.login,
        connection.password,
        connection.port,
        connection.extra_dejson,
    )


URIS = [
    (
        "postgresql://u:p%40ss@h.com:5432/db?sslmode=require",
        ("postgres", "h.com", "db", "u", "p@ss", 5432, {"sslmode": "require"}),
        "postgres://u:p%40ss@h.com:5432/db?sslmode=require",
    ),
    ("my-conn-type://h", ("my_conn_type", "h", "", None, None, None, {}), "my-conn-type://h"),
    (
        "http://https%3A%2F%2Fexample.com/",
        ("http", "https://example.com", "", None, None, None, {}),
        "http://https://example.com",
    ),
    (
        "http://https://example.com",
        ("http", "https://example.com", "", None, None, None, {}),
        "http://https://example.com",
    ),
    (
        "aws://AK:S%2Fk@/?__extra__=%7B%22region%22%3A%20%22eu%22%7D",
        ("aws", "", "", "AK", "S/k", None, {"region": "eu"}),
        "aws://AK:S%2Fk@/?region=eu",
    ),
    (
        "sqlite:////tmp/x.db",
        ("sqlite", "", "/tmp/x.db", None, None, None, {}),
        "sqlite:///%2Ftmp%2Fx.db",
    ),
    (
        "gcpx://?a=1&b=",
        ("gcpx", "", "", None, None, None, {"a": "1", "b": ""}),
        "gcpx:///?a=1&b=",
    ),
    ("web_api://Host.Example", ("web_api", "Host.Example", "", None, None, None, {}), None),
]


@pytest.mark.parametrize(("uri", "expected", "back"), URIS, ids=[u[0] for u in URIS])
def test_a_uri_gives_the_fields_and_they_give_a_uri(uri, expected, back):
    connection = Connection(conn_id="c", uri=uri)

    assert fields(connection) == expected
    if back is not None:
        assert connection.get_uri() == back
        assert fields(Connection(conn_id="c", uri=back)) == expected


def test_fields_that_are_no_flat_text_stand_in_one_query_key():
    connection = Connection(
        conn_type="my_t",
        host="h",
        login="a b",
        password="p/w",
        port=1,
        schema="s x",
        extra={"a": {"b": 1}},
    )

    assert connection.get_uri() == (
        "my-t://a%20b:p%2Fw@h:1/s%20x?__extra__=%7B%22a%22%3A+%7B%22b%22%3A+1%7D%7D"
    )


def test_a_port_alone_stands_behind_an_at():
    assert Connection(conn_type="x", port=7).get_uri() == "x://@:7"


def test_a_uri_and_fields_together_are_refused():
    with pytest.raises(AirflowException, match="not as both"):
        Connection(conn_id="c", uri="x://h", host="h")


@pytest.mark.parametrize("uri", ["a://b://c://d", "http://h:port/"])
def test_a_uri_that_cannot_be_read_is_refused(uri):
    with pytest.raises(AirflowException):
        Connection(uri=uri)


def test_json_gives_the_fields():
    text = json.dumps({"conn_type": "my-type", "port": "5", "extra": {"k": 1}, "host": "h"})

    connection = Connection.from_json(text, "c")

    assert (connection.conn_id, connection.conn_type, connection.port) == ("c", "my_type", 5)
    assert connection.extra_dejson == {"k": 1}
    assert Connection.from_json(connection.as_json(), "c") == connection


@pytest.mark.parametrize("text", ["[1]", "{", '{"port": "x"}', '{"hots": "h"}'])
def test_json_that_is_no_connection_is_refused_as_a_wrong_value(text):
    with pytest.raises(ValueError, match=r"connection|port"):
        Connection.from_json(text)


@pytest.mark.parametrize("extra", [None, "", "no json", "[1]"])
def test_extras_that_cannot_be_read_are_empty(extra):
    assert Connection(extra=extra).extra_dejson == {}


def test_the_environment_gives_connections_as_uri_or_json(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_A", "http://h")
    monkeypatch.setenv("AIRFLOW_CONN_B", ' {"conn_type": "ftp", "host": "h2"}')

    assert Connection.get("a").conn_type == "http"
    assert Connection.get_connection_from_secrets("b").host == "h2"


def test_a_missing_connection_is_named_with_the_ways_to_add_it():
    with pytest.raises(AirflowNotFoundException, match=r"'nope'.*AIRFLOW_CONN_NOPE"):
        Connection.get("nope")


def test_the_connection_to_the_file_system_is_there_until_it_is_another(monkeypatch):
    """Airflow stores it when its database is made; hooks of providers ask for it."""
    assert Connection.get("fs_default").extra_dejson == {"path": "/"}

    monkeypatch.setenv("AIRFLOW_CONN_FS_DEFAULT", '{"extra": {"path": "/data"}}')

    assert Connection.get("fs_default").extra_dejson == {"path": "/data"}


def test_the_secrets_of_a_connection_are_masked_once_it_was_looked_up(monkeypatch):
    monkeypatch.setenv(
        "AIRFLOW_CONN_C",
        json.dumps(
            {"conn_type": "x", "login": "visible", "password": "pass/word",
             "extra": {"api_key": "k-123456", "region": "eu-west"}}
        ),
    )  # fmt: skip

    Connection.get("c")

    assert mask("visible pass/word pass%2Fword k-123456 eu-west") == "visible *** *** *** eu-west"


def test_a_repr_tells_no_secret():
    assert "pw" not in repr(Connection(conn_id="c", password="pw-pw-pw"))
