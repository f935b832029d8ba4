from __future__ import annotations

import json

import pytest
from tradewind.control import connections, pools, users, variables
from tradewind.control.exchange_files import read_entries
from tradewind.control.input import InvalidInput, parse_instant, parse_json_object
from tradewind.control.roles import check_roles
from tradewind.database.errors import AlreadyExists, NotAllowed, NotFound
from tradewind.sdk.connection import Connection


def test_variables_are_written_and_carried_over(services):
    count = variables.import_variables(services, {"a": "text", "b": {"n": 1}, "c": 3})

    assert count == 3
    assert variables.get_variable(services, "b") == '{"n": 1}'
    assert variables.export_variables(services) == {"a": "text", "b": {"n": 1}, "c": 3}


@pytest.mark.parametrize(
    ("action", "count", "value"), [("overwrite", 2, "new"), ("skip", 1, "old")]
)
def test_what_happens_to_existing_variables_is_chosen(services, action, count, value):
    variables.set_variable(services, "a", "old")

    assert variables.import_variables(services, {"a": "new", "b": "x"}, on_existing=action) == count
    assert variables.get_variable(services, "a") == value


def test_an_import_that_may_not_overwrite_writes_nothing(services):
    variables.set_variable(services, "a", "old")

    with pytest.raises(InvalidInput, match="exist already: a"):
        variables.import_variables(services, {"a": "new", "b": "x"}, on_existing="fail")
    assert [row.key for row in variables.list_variables(services)] == ["a"]


def test_a_missing_variable(services):
    assert variables.get_variable(services, "nope", default="d") == "d"
    with pytest.raises(NotFound, match="Variable nope does not exist"):
        variables.get_variable(services, "nope")
    assert variables.delete_variable(services, "nope") is False


def test_values_of_secret_keys_can_be_hidden(services):
    variables.set_variable(services, "db_password", "hush")
    variables.set_variable(services, "colour", "blue")

    shown = {row.key: row.value for row in variables.list_variables(services, hide_sensitive=True)}
    assert shown == {"db_password": "***", "colour": "blue"}


def test_a_connection_is_shown_without_its_password_unless_asked_for(services):
    connections.add_connection(
        services, connections.read_connection("pg", "postgresql://u:pw@h:5432/db?api_key=k")
    )

    stored = connections.get_connection(services, "pg")
    hidden = connections.masked_fields(stored, is_shown=False)
    shown = connections.masked_fields(stored, is_shown=True)

    assert (hidden["conn_type"], hidden["password"], hidden["port"]) == ("postgres", "***", 5432)
    assert "pw" not in json.dumps(hidden)
    assert hidden["extra_dejson"] == {"api_key": "***"}
    assert shown["password"] == "pw"


@pytest.mark.parametrize("conn_id", ["", "a b", "a/b", "x" * 201])
def test_connection_ids_that_are_not_allowed(services, conn_id):
    with pytest.raises(InvalidInput, match="is not a connection id"):
        connections.add_connection(services, Connection(conn_id, conn_type="http"))


def test_a_taken_connection_id_is_refused_or_replaced(services):
    connections.add_connection(services, Connection("c", conn_type="http", host="old"))
    again = Connection("c", conn_type="http", host="new")

    with pytest.raises(AlreadyExists):
        connections.add_connection(services, again)
    connections.add_connection(services, again, is_overwriting=True)

    assert connections.get_connection(services, "c").host == "new"


@pytest.mark.parametrize("kind", ["json", "yaml", "env"])
def test_exported_connections_can_be_imported_again(services, tmp_path, kind):
    before = connections.read_connection("c", 'http://u:p%40ss@h:80/s?__extra__={"a":{"b":1}}')
    connections.add_connection(services, before)
    path = tmp_path / f"all.{kind}"
    path.write_text(connections.export_text([before], kind, is_uri=True))
    connections.delete_connection(services, "c")

    outcome = connections.import_connections(
        services, read_entries(str(path)), is_overwriting=False
    )

    assert outcome == [("c", True)]
    assert connections.get_connection(services, "c").to_dict() == before.to_dict()


def test_pools_are_created_changed_and_carried_over(services):
    pools.set_pool(services, "etl", 3, "three", include_deferred=True)
    pools.set_pool(services, "etl", -1, "any")

    assert pools.export_pools(services)["etl"] == {
        "slots": -1,
        "description": "any",
        "include_deferred": False,
    }
    assert pools.import_pools(services, {"p": {"slots": 1, "description": ""}}) == 1
    assert pools.get_pool(services, "p").slots == 1


def test_bad_pools_are_refused_before_any_is_written(services):
    entries = {"good": {"slots": 1, "description": ""}, "bad": {"slots": "many"}}

    with pytest.raises(InvalidInput, match=r"Failed to update pool\(s\): bad"):
        pools.import_pools(services, entries)
    with pytest.raises(NotFound):
        pools.get_pool(services, "good")
    with pytest.raises(InvalidInput, match="not -2"):
        pools.set_pool(services, "x", -2, "")


def test_the_default_pool_stays(services):
    with pytest.raises(NotAllowed, match="default_pool cannot be deleted"):
        pools.delete_pool(services, "default_pool")


def test_the_first_start_makes_an_admin_and_no_later_one(services):
    password = users.ensure_admin(services, "admin")

    assert services.store.users.verify("admin", password, now=services.now()).roles == ("Admin",)
    assert users.ensure_admin(services, "admin") is None


def test_users_are_found_by_name_or_mail_and_roles_are_checked(services):
    users.create_user(
        services,
        username="ada",
        first_name="Ada",
        last_name="L",
        email="ada@example.org",
        roles=["Op"],
        password="long enough",
    )

    assert users.get_user(services, email="ada@example.org").username == "ada"
    with pytest.raises(InvalidInput, match="Valid roles are: Public, Viewer"):
        check_roles(services, ["King"])
    with pytest.raises(NotFound):
        users.delete_user(services, username="nope")
    assert users.delete_user(services, username="ada") == "ada"


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2024-01-31", "2024-01-31T00:00:00+00:00"),
        ("2024-01-31T10:00", "2024-01-31T10:00:00+00:00"),
        ("2024-01-31T10:00:00+02:00", "2024-01-31T08:00:00+00:00"),
        ("2024-01-31T10:00:00Z", "2024-01-31T10:00:00+00:00"),
        ("Jan 31 2024 10:00", "2024-01-31T10:00:00+00:00"),
        ("20240131", "2024-01-31T00:00:00+00:00"),
    ],
)
def test_instants_are_read_in_many_forms(text, iso):
    assert parse_instant(text).isoformat() == iso


@pytest.mark.parametrize("text", ["", "nope", "2024-13-01", "12:00", "January"])
def test_what_is_no_date_is_refused(text):
    with pytest.raises(InvalidInput, match="is not a date"):
        parse_instant(text)


def test_a_naive_instant_is_in_the_default_time_zone(monkeypatch):
    monkeypatch.setenv("AIRFLOW__CORE__DEFAULT_TIMEZONE", "Europe/Paris")

    assert parse_instant("2024-01-31").isoformat() == "2024-01-30T23:00:00+00:00"


@pytest.mark.parametrize("text", ["{bad", "[1]", '"x"'])
def test_json_that_is_no_object_is_refused(text):
    with pytest.raises(InvalidInput, match="--conf"):
        parse_json_object(text, "--conf")
