"""What was asked of rows is not asked again until somebody writes, of whatever process."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import event, select
from tradewind.database.errors import DatabaseGone
from tradewind.database.migrate import create_tables
from tradewind.database.settings import StoreSettings
from tradewind.database.store import Store
from tradewind.database.tables import pool

SIZES = select(pool.c.slots).where(pool.c.name == "default_pool")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tradewind.db"


@pytest.fixture
def store(path: Path):
    settings = StoreSettings(url=f"sqlite:///{path}")
    store = Store(settings)
    with store.database.write() as connection:
        create_tables(connection, settings)
    yield store
    store.close()


@pytest.fixture
def asked(store: Store) -> list[str]:
    """Every statement that is sent from now on."""
    said: list[str] = []
    event.listen(
        store.database.engine,
        "before_cursor_execute",
        lambda _connection, _cursor, text, *_rest: said.append(text),
    )
    return said


def test_a_question_is_asked_once_while_nobody_writes(store, asked):
    answers = [store.dags.next_due_at(), store.runs.unfinished_ids()]
    first = len(asked)

    assert [store.dags.next_due_at(), store.runs.unfinished_ids()] == answers
    assert first > 0
    assert len(asked) == first


def test_it_is_asked_again_when_this_process_has_written(store):
    remembered = store.dags._remembered
    before = remembered.value(SIZES)
    store.pools.set("default_pool", before + 1, "", now=store.clock.now(), actor="user:me")

    assert remembered.value(SIZES) == before + 1


def test_it_is_asked_again_when_another_program_has_written(store, path):
    remembered = store.dags._remembered
    before = remembered.value(SIZES)
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("UPDATE pool SET slots = slots + 1 WHERE name = 'default_pool'")
        assert remembered.value(SIZES) == before  # it is not committed yet

    assert remembered.value(SIZES) == before + 1


def test_it_is_asked_again_when_the_lock_of_another_program_kept_us_from_looking(store, path):
    remembered = store.dags._remembered
    before = remembered.value(SIZES)
    store.database.change_mark()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("UPDATE pool SET slots = slots + 1 WHERE name = 'default_pool'")
        store.database._mark.close()  # as after a look that failed

        assert remembered.value(SIZES) == before + 1


def test_a_database_that_was_deleted_is_noticed_without_a_question(store, path):
    store.dags.next_due_at()
    path.unlink()
    store.database._file._next_s = 0.0  # a second has passed

    with pytest.raises(DatabaseGone):
        store.dags.next_due_at()


def test_in_memory_every_question_is_asked():
    store = Store.in_memory()

    assert store.database.change_mark() is None
    assert store.dags.next_due_at() is None
    store.close()
