"""The file of the database is deleted or replaced while it is in use: nothing goes on silently."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest
from tradewind.database import file_identity
from tradewind.database.errors import DatabaseGone
from tradewind.database.migrate import migrate
from tradewind.database.settings import StoreSettings
from tradewind.database.store import open_store

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


@pytest.mark.parametrize("how", ["deleted", "replaced"])
def test_a_file_that_is_gone_is_refused_by_name(settings, tmp_path, how):
    path = tmp_path / "tradewind.db"
    with_it = open_store(settings)
    with_it.pools.list()
    shutil.copy(path, tmp_path / "copy.db")
    path.unlink()
    if how == "replaced":
        (tmp_path / "copy.db").rename(path)

    with pytest.raises(DatabaseGone, match=f"The database {path} was deleted or replaced"):
        with_it.pools.list()

    assert path.exists() is (how == "replaced")
    with_it.close()


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
    assert "was deleted or replaced while it was in use" in said
