"""A backup of SQLite is put back: what it knows goes on, and the operator is told (E15).

Slow: tries of a runner that nobody here remembers are judged after ten seconds.
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest
from chaos_driver import is_at_rest, wait_until
from chaos_scene import Scene
from chaos_witness import START, read_marks
from deployment import Deployment


@pytest.fixture
def deployment():
    with Deployment({}) as made:
        yield made


def copy_database(path: Path, copy: Path) -> None:
    """As any backup program does it, while the server runs."""
    with (
        contextlib.closing(sqlite3.connect(path)) as source,
        contextlib.closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)


@pytest.mark.slow
def test_an_older_backup_is_gone_on_from_and_the_operator_is_told(deployment):
    path, copy = deployment.home / "tradewind.db", deployment.home / "backup"
    scene = Scene(deployment, width=3, longest_s=0.5)
    scene.trigger(1)
    assert wait_until(lambda: scene.starts() > 1, 60.0) is not None
    copy_database(path, copy)  # in the middle of a run
    assert wait_until(lambda: is_at_rest(deployment, 1), 60.0) is not None
    before = len(read_marks(scene.witness))
    deployment.stop()
    deployment.start()  # notes how far this database had come
    noted = deployment.home / "run" / "newest_event"
    [newest] = deployment.query("select max(id) id from event")
    deployment.wait_until(
        lambda: noted.exists() and noted.read_text().startswith(f"[{newest['id']},"), "the note"
    )
    deployment.stop()
    for side in ("-wal", "-shm"):
        path.with_name(path.name + side).unlink(missing_ok=True)
    copy.rename(path)

    deployment.start()

    assert wait_until(lambda: is_at_rest(deployment, 1), 60.0) is not None
    told = "This database is older than the one that was here until"
    output = deployment.home / "server.out"
    assert wait_until(lambda: told in output.read_text(), 30.0) is not None
    again = read_marks(scene.witness)[before:]
    assert any(mark.kind == START for mark in again)  # the backup did not know their ends
    kept = {"I-2", "I-3", "I-4", "I-8", "I-14", "I-16", "I-17", "I-19", "I-20", "I-32", "I-33"}
    assert [one for one in scene.violations() if one.split(":")[0].split("/")[0] in kept] == []
