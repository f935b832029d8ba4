"""Migrations of filled databases, up and down, and killed in the middle."""

from __future__ import annotations

import subprocess
import sys

import pytest
from sqlalchemy import inspect, select
from tradewind.database import migrate as migrate_module
from tradewind.database.errors import DatabaseError
from tradewind.database.migrate import check, downgrade, migrate
from tradewind.database.tables import metadata

#: What has been there since the first revision, and must outlive every way up and down.
KEPT = ("dag", "dag_run", "task_instance", "attempt", "variable", "pool")
#: Migrates, and dies by SIGKILL when statement number argv[2] is sent.
KILLED = """
import os, signal, sys
from sqlalchemy import event
from sqlalchemy.engine import Engine
from tradewind.database.migrate import migrate
from tradewind.database.settings import StoreSettings

left = int(sys.argv[2])

@event.listens_for(Engine, "before_cursor_execute")
def count(_connection, _cursor, statement, *_rest):
    global left
    if statement.lstrip().upper().startswith(("CREATE", "ALTER", "INSERT", "UPDATE", "DROP")):
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

migrate(StoreSettings(url=sys.argv[1]))
"""


@pytest.fixture
def filled(house, task):
    """A house with a finished run, a failed one and one that is under way."""
    house.add(task("a"), task("b", "a"))
    house.store.variables.set("v", "1", now=house.now, actor="user:me")
    house.store.users.create(username="ada", password="x", roles=["Admin"], now=house.now)
    for run_id, outcome in (("good", "success"), ("bad", "failed")):
        house.run(run_id)
        [claim] = house.claim(1)
        for following in house.finish(claim, outcome, limit=1).claims:
            house.finish(following)
    house.run("under way")
    house.claim(1)
    return house


def kept_rows(house) -> dict[str, list]:
    with house.store.database.read() as connection:
        return {
            name: sorted(
                map(str, connection.execute(select(*metadata.tables[name].primary_key.columns)))
            )
            for name in KEPT
        }


def schema(house) -> dict[str, list]:
    seen = inspect(house.store.database.engine)
    return {
        name: sorted((one["name"], str(one["type"])) for one in seen.get_columns(name))
        for name in seen.get_table_names()
    }


def test_a_filled_database_goes_down_and_up_again_and_loses_no_history(filled):
    rows, tables = kept_rows(filled), schema(filled)

    downgrade(migrate_module.REVISIONS[0], filled.store.settings)
    assert kept_rows(filled) == rows
    with pytest.raises(DatabaseError, match="tradewind db migrate"):
        check(filled.store.settings)
    said = migrate(filled.store.settings)

    assert "was upgraded from 0001" in said
    assert kept_rows(filled) == rows
    assert schema(filled) == tables
    assert filled.run_state("good") == "success"
    assert [user.roles for user in filled.store.users.list()] == [("Admin",)]
    [claim] = filled.claim(1) or filled.store.attempts.live("worker-1")
    assert claim.try_number == 1


@pytest.mark.parametrize("statements", [3, 25])
def test_a_migration_that_is_killed_half_way_leaves_the_old_state_and_can_be_repeated(
    filled, statements
):
    url = filled.store.settings.url
    tables = schema(filled)
    downgrade(migrate_module.REVISIONS[0], filled.store.settings)
    old_tables, rows = schema(filled), kept_rows(filled)

    killed = subprocess.run(
        [sys.executable, "-P", "-c", KILLED, url, str(statements)], check=False, timeout=120
    )

    assert killed.returncode == -9
    assert schema(filled) == old_tables
    assert kept_rows(filled) == rows
    migrate(filled.store.settings)
    assert schema(filled) == tables
    assert kept_rows(filled) == rows


@pytest.mark.parametrize("revision", ["9999", "nonsense", ""])
def test_going_back_to_what_never_was_names_what_there_is(filled, revision):
    with pytest.raises(DatabaseError, match="there are: 0001"):
        downgrade(revision, filled.store.settings)
