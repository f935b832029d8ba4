"""Creating, checking and upgrading databases, and leaving others' alone."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import uuid

import pytest
from sqlalchemy import create_engine, inspect
from tradewind.database import migrate as migrate_module
from tradewind.database.engine import Database
from tradewind.database.errors import DatabaseError
from tradewind.database.migrate import check, create_missing_database, migrate, reset
from tradewind.database.settings import StoreSettings
from tradewind.database.store import Store, open_store
from tradewind.sdk import configuration


@pytest.fixture
def new_url(tmp_path, request):
    """Make URLs of databases that do not exist yet, or are empty."""

    def make(kind: str) -> str:
        if kind == "sqlite":
            return f"sqlite:///{tmp_path}/{uuid.uuid4()}.db"
        return request.getfixturevalue("make_postgresql")()

    return make


def tables(path):
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return {name for (name,) in rows}


def test_a_missing_database_is_created_with_its_folder(tmp_path):
    settings = StoreSettings(url=f"sqlite:///{tmp_path}/new/home/tradewind.db")

    migrate(settings)
    migrate(settings)

    assert check(settings) == migrate_module.HEAD
    assert (tmp_path / "new/home/tradewind.db").stat().st_mode & 0o077 == 0
    store = open_store(settings)
    assert [pool.name for pool in store.pools.list()] == ["default_pool"]
    store.close()


def test_opening_a_missing_database_says_how_to_make_it(tmp_path):
    with pytest.raises(DatabaseError, match="tradewind db migrate"):
        open_store(StoreSettings(url=f"sqlite:///{tmp_path}/none.db"))
    assert not (tmp_path / "none.db").exists()


def test_a_command_makes_the_tables_that_another_has_only_begun_to_make(tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path}/tradewind.db"
    monkeypatch.setenv("TRADEWIND__DATABASE__SQL_ALCHEMY_CONN", url)
    configuration.reset()
    (tmp_path / "tradewind.db").touch()

    create_missing_database()

    assert check(StoreSettings(url=url)) == migrate_module.HEAD


def test_airflows_own_database_is_left_untouched(tmp_path):
    path = tmp_path / "airflow.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES ('22ed7efa9da2')")
        connection.execute("CREATE TABLE slot_pool (id INTEGER)")
        connection.execute("CREATE TABLE dag (dag_id TEXT)")
    before = path.read_bytes()
    settings = StoreSettings(url=f"sqlite:///{path}")

    for act in (migrate, check, reset):
        with pytest.raises(DatabaseError, match="Airflow") as caught:
            act(settings)
        assert "\n" not in str(caught.value)

    assert tables(path) == {"alembic_version", "slot_pool", "dag"}
    assert path.read_bytes()[100:] == before[100:]


def test_looking_into_airflows_own_database_leaves_nothing_beside_it(tmp_path):
    """Airflow 3 keeps it in WAL mode: who opens such a file makes two more."""
    path = tmp_path / "airflow.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE slot_pool (id INTEGER)")
        connection.commit()
    before = path.read_bytes()

    with pytest.raises(DatabaseError, match="Airflow"):
        migrate(StoreSettings(url=f"sqlite:///{path}"))

    assert [one.name for one in tmp_path.iterdir() if not one.name.endswith("-waiting")] == [
        "airflow.db"
    ]
    assert path.read_bytes() == before


def test_an_unknown_revision_is_left_untouched(tmp_path):
    path = tmp_path / "tradewind.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES ('9999')")

    with pytest.raises(DatabaseError, match="'9999'"):
        migrate(StoreSettings(url=f"sqlite:///{path}"))

    assert tables(path) == {"alembic_version"}


def test_somebody_elses_tables_are_left_untouched(tmp_path):
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE customers (id INTEGER)")

    with pytest.raises(DatabaseError, match="left untouched"):
        reset(StoreSettings(url=f"sqlite:///{path}"))

    assert tables(path) == {"customers"}


def test_a_file_that_is_no_database_is_one_clear_line(tmp_path):
    path = tmp_path / "text.db"
    path.write_text("this is not a database, but it is long enough to be looked at" * 50)

    with pytest.raises(DatabaseError, match="cannot be"):
        check(StoreSettings(url=f"sqlite:///{path}"))


def test_reset_empties_everything(house, task, settings):
    house.add(task("a"))

    reset(settings)

    again = Store(settings)
    assert again.dags.list() == []
    again.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_replayed_migrations_give_the_same_schema_as_creating_at_once(kind, new_url):
    from alembic import command

    settings = StoreSettings(url=new_url(kind))
    migrate(settings)
    url = new_url(kind)
    config = migrate_module.alembic_config()
    database = Database(url)
    with database.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    database.close()

    def schema(of):
        engine = create_engine(of)
        seen = inspect(engine)
        found = {
            name: (
                sorted((one["name"], str(one["type"])) for one in seen.get_columns(name)),
                # PostgreSQL shows the index of a unique constraint, too.
                sorted(str(one["name"]) for one in seen.get_indexes(name)),
            )
            for name in seen.get_table_names()
        }
        engine.dispose()
        return found

    assert schema(url) == schema(settings.url)


def test_the_newest_revision_is_the_one_that_new_databases_are_stamped_with():
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(migrate_module.alembic_config())

    assert scripts.get_heads() == [migrate_module.HEAD]
    known = [one.revision for one in scripts.walk_revisions()]
    assert list(reversed(known)) == list(migrate_module.REVISIONS)


def test_a_full_disk_is_named_where_sqlite_says_i_o_error(tmp_path):
    mounted = ["mount", "-t", "tmpfs", "-o", "size=4m", "none", tmp_path]
    if subprocess.run(mounted, check=False, capture_output=True).returncode:
        pytest.skip("this user may not mount a file system")
    try:
        settings = StoreSettings(url=f"sqlite:///{tmp_path}/tradewind.db")
        migrate(settings)
        with pytest.raises(OSError, match="No space left"):
            (tmp_path / "fill").write_bytes(bytes(4 << 20))

        with pytest.raises(DatabaseError, match=r"cannot be opened: .* \(its disk is full\)"):
            open_store(settings)
    finally:
        subprocess.run(["umount", "-l", tmp_path], check=True)
