"""What is wrong with a PostgreSQL, or with how it is named, is said in one line."""

from __future__ import annotations

import sys

import psycopg
import pytest
from postgresql_server import PostgresqlServer
from tradewind.database import migrate as migrate_module
from tradewind.database.engine import Database
from tradewind.database.errors import DatabaseAway, DatabaseError
from tradewind.database.migrate import check, migrate, reset
from tradewind.database.pool_settings import PoolSettings
from tradewind.database.settings import StoreSettings
from tradewind.database.store import open_store


def refusal(act, url: str, **fields) -> str:
    with pytest.raises(DatabaseError) as caught:
        act(StoreSettings(url=url, **fields))
    text = str(caught.value)
    assert "\n" not in text
    assert "secret" not in text
    return text


def execute(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def ask(url: str, statement: str):
    with psycopg.connect(url) as connection:
        return connection.execute(statement).fetchall()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://me:secret@127.0.0.1:9/tw", "Connection refused"),
        ("postgres://me:secret@no-such-host.invalid/tw", "no-such-host.invalid"),
        ("postgresql://me:secret@127.0.0.1:port/tw", "in a password, @ is %40"),
        ("nonsense secret", "cannot be read as a database URL"),
        ("postgresql://me:secret@127.0.0.1:9/tw?sslmod=require", 'option "sslmod"'),
        ("postgresql://me:secret@127.0.0.1:9/tw?sslmode=perhaps", 'sslmode value: "perhaps"'),
        ("mysql://me:secret@127.0.0.1/tw", "use sqlite or postgresql"),
    ],
)
def test_a_wrong_address_names_the_setting_and_shows_no_password(url, said):
    for act in (migrate, check, reset, open_store):
        text = refusal(act, url)

        assert text.startswith("[database] sql_alchemy_conn")
        assert said in text


def test_all_of_airflows_names_for_postgresql_mean_our_driver(make_postgresql):
    url = make_postgresql(is_migrated=True)

    for scheme in ("postgres", "postgresql", "postgresql+psycopg2", "postgresql+psycopg"):
        assert check(StoreSettings(url=url.replace("postgresql", scheme, 1)))


def test_a_wrong_password_is_said_and_a_right_one_lets_in():
    server = PostgresqlServer()
    try:
        server.ask_for_password("guarded")
        server.start()
        execute(server.url, "CREATE ROLE guarded LOGIN PASSWORD 'right'")
        url = server.url.replace("postgres@", "guarded:{}@")

        wrong = refusal(migrate, url.format("secret"))
        missing_rights = refusal(migrate, url.format("right"))
    finally:
        server.close()
    assert "password authentication failed" in wrong
    assert "lacks a right" in missing_rights


def test_a_missing_database_is_said(make_postgresql):
    url = make_postgresql().rpartition("/")[0] + "/nowhere"

    assert '"nowhere" does not exist' in refusal(check, url)


def test_a_missing_driver_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)

    assert "tradewind[postgres]" in refusal(check, "postgresql://me:secret@127.0.0.1/tw")


def test_a_newer_database_is_left_untouched(make_postgresql):
    url = make_postgresql(is_migrated=True)
    execute(url, "UPDATE alembic_version SET version_num = '9999'")

    for act in (migrate, check, open_store, reset):
        assert "left untouched" in refusal(act, url)
    assert ask(url, "SELECT name FROM pool") == [("default_pool",)]


def test_airflows_own_database_is_left_untouched(make_postgresql):
    url = make_postgresql()
    execute(
        url,
        "CREATE TABLE alembic_version (version_num text)",
        "INSERT INTO alembic_version VALUES ('29ce7909c52b')",
        "CREATE TABLE dag_pickle (id int)",
        "CREATE TABLE slot_pool (id int)",
    )

    for act in (migrate, check, open_store, reset):
        assert "Apache Airflow's own" in refusal(act, url)
    assert len(ask(url, "SELECT 1 FROM pg_tables WHERE schemaname = 'public'")) == 3


def test_somebody_elses_tables_are_left_untouched(make_postgresql):
    url = make_postgresql()
    execute(url, "CREATE TABLE invoices (id int)")

    assert "left untouched" in refusal(migrate, url)


def test_a_budget_of_connections_that_no_server_has_is_refused_at_start(make_postgresql):
    url = make_postgresql(is_migrated=True)

    def start(settings):
        open_store(settings, service="web")

    text = refusal(start, url, pools=PoolSettings(size=100_000))

    assert "sql_alchemy_pool_size" in text
    assert "max_connections" in text


def test_two_that_create_the_tables_at_once_both_find_them(make_postgresql):
    import threading

    url = make_postgresql()
    said: list[str] = []
    threads = [
        threading.Thread(target=lambda: said.append(migrate(StoreSettings(url=url))))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(said) == 4
    assert check(StoreSettings(url=url)) == migrate_module.HEAD


def test_a_server_that_takes_no_writes_is_one_to_wait_for(make_postgresql):
    database = Database(make_postgresql(is_migrated=True))

    def write_on_a_replica() -> None:
        with database.write() as connection:
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")
            connection.exec_driver_sql("DELETE FROM pool")

    with pytest.raises(DatabaseAway, match="read-only"):
        write_on_a_replica()
    database.close()
