"""The database is deleted, emptied or replaced: nothing goes on, or begins anew, silently."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tradewind.control.schema import migrate_database
from tradewind.database import file_identity
from tradewind.database.errors import DatabaseError, DatabaseGone
from tradewind.database.migrate import (
    create_missing_database,
    migrate,
    prepare_database,
    reset,
)
from tradewind.database.settings import StoreSettings
from tradewind.database.store import open_store
from tradewind.sdk import configuration

SERVICE = """
import sys
from tradewind.database.settings import StoreSettings
from tradewind.database.store import open_store
store = open_store(StoreSettings(url=sys.argv[1]), service="scheduler")
while True:
    store.runs.due_ids(store.clock.now())
    print("works", flush=True)
"""


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setattr(file_identity, "LOOK_INTERVAL_S", 0.0)
    made = StoreSettings(url=f"sqlite:///{tmp_path}/tradewind.db")
    migrate(made)
    return made


def replace(path):
    shutil.copy(path, path.with_name("copy.db"))
    path.with_name("copy.db").rename(path)


def empty(path):
    os.truncate(path, 0)


def delete_log(path):
    path.with_name("tradewind.db-wal").unlink()


def test_a_store_that_was_closed_is_used_again_with_another_log(settings, tmp_path):
    """As page servers do: opened before their workers are forked, closed, opened in each."""
    store = open_store(settings)
    store.pools.list()
    store.close()
    assert not (tmp_path / "tradewind.db-wal").exists()
    (tmp_path / "has the inode of the old log").touch()

    assert store.pools.list()

    store.close()


@pytest.mark.parametrize("harm", [Path.unlink, replace, empty, delete_log])
def test_a_file_that_is_gone_is_refused_by_name(settings, tmp_path, harm):
    path = tmp_path / "tradewind.db"
    with_it = open_store(settings)
    with_it.pools.list()

    harm(path)

    with pytest.raises(DatabaseGone, match=f"The database {path} .*was deleted"):
        with_it.pools.list()
    assert path.exists() is (harm is not Path.unlink)
    with_it.close()


def test_an_emptied_file_is_named_by_who_writes_too(settings, tmp_path):
    """SQLite says that it is locked, for as long as one asks."""
    with_it = open_store(settings)
    with_it.pools.list()
    empty(tmp_path / "tradewind.db")

    with pytest.raises(DatabaseGone, match="emptied"), with_it.database.write():
        pass

    with_it.close()


def test_a_damaged_file_is_named_and_used_no_more(settings, tmp_path):
    path = tmp_path / "tradewind.db"
    pages = path.stat().st_size // 4096
    with path.open("r+b") as file:
        for page in range(2, pages):
            file.seek(page * 4096)
            file.write(b"\xff" * 4096)

    with pytest.raises(DatabaseGone, match=f"The database {path} is damaged .*put a backup"):
        open_store(settings)


def test_a_file_that_stays_is_used_on(settings):
    store = open_store(settings)

    for _ in range(3):
        store.pools.list()

    store.close()


def test_a_service_ends_with_a_line_that_says_so(settings, tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", SERVICE, settings.url],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ,
        text=True,
    )
    assert process.stdout.readline() == "works\n"
    (tmp_path / "tradewind.db").unlink()

    _, said = process.communicate(timeout=30)

    assert process.returncode == 1
    assert "was deleted, emptied or replaced while it was in use" in said
    assert said.count("\n") == 1


@pytest.fixture
def lost(tmp_path, monkeypatch):
    """A home whose database was deleted, with the settings of a command."""
    url = f"sqlite:///{tmp_path}/tradewind.db"
    monkeypatch.setenv("TRADEWIND__DATABASE__SQL_ALCHEMY_CONN", url)
    configuration.reset()
    create_missing_database()
    for path in tmp_path.glob("tradewind.db*"):
        if not path.name.endswith("-made"):
            path.unlink()
    return tmp_path / "tradewind.db"


@pytest.mark.parametrize("act", [create_missing_database, prepare_database])
@pytest.mark.parametrize("is_emptied", [False, True])
def test_no_command_makes_an_empty_database_where_one_was(lost, act, is_emptied):
    if is_emptied:
        lost.touch()

    with pytest.raises(DatabaseError, match=r"made there before.*`tradewind db migrate`"):
        act()

    assert lost.exists() is is_emptied
    with pytest.raises(DatabaseError, match=r"made there before|is empty"):
        open_store()


def test_who_wants_an_empty_one_says_so(lost):
    migrate_database()

    open_store().close()


def test_a_home_whose_files_of_the_database_are_all_gone_is_a_new_one(lost):
    lost.with_name("tradewind.db-made").unlink()

    create_missing_database()

    open_store().close()


def test_tables_that_were_dropped_on_purpose_are_made_again_by_the_next_command(lost):
    migrate_database()
    reset(is_created_again=False)

    create_missing_database()

    open_store().close()
