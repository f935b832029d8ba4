"""A power cut at any moment: what was acknowledged is there, and the file is whole (E14, G-D2).

SQLite appends what is written to its log (``-wal``), and a cut leaves the file as it was with some
beginning of that log. The log is cut behind each commit and within each; every copy is opened.
"""

from __future__ import annotations

import itertools
import random
import sqlite3
import struct
from pathlib import Path

import pytest
from tradewind.database.migrate import migrate
from tradewind.database.settings import StoreSettings
from tradewind.database.store import Store

HEADER_BYTES, FRAME_HEADER_BYTES = 32, 24


class Recorder:
    """A database that notes after each commit how long its log is, and what was acknowledged."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log = path.with_name(f"{path.name}-wal")
        #: (bytes of the log, what every later opening must find)
        self.acknowledged: list[tuple[int, dict[int, tuple[str, int]]]] = []

    def note(self, house) -> None:
        rows = house.store.task_instances.list("d", "r")
        known = {row.id: (str(row.state), row.epoch) for row in rows}
        self.acknowledged.append((self.log.stat().st_size, known))

    def commits(self) -> list[int]:
        """Return where in the log each commit ends, in bytes."""
        log = self.log.read_bytes()
        (page_bytes,) = struct.unpack(">I", log[8:12])
        ends, place = [], HEADER_BYTES
        while place + FRAME_HEADER_BYTES <= len(log):
            (pages_after_commit,) = struct.unpack(">I", log[place + 4 : place + 8])
            place += FRAME_HEADER_BYTES + page_bytes
            if pages_after_commit:
                ends.append(place)
        return ends


@pytest.fixture
def recorded(tmp_path, task, make_house):
    """A run of three tasks, one of which fails and is tried again, up to its end."""
    path = tmp_path / "tradewind.db"
    settings = StoreSettings(url=f"sqlite:///{path}")
    migrate(settings)
    store = Store(settings)
    house, recorder = make_house(store), Recorder(path)
    house.register()
    house.add(task("a", retries=1, retry_delay_s=0.0), task("b", "a"), task("c", "a"))
    house.run()
    recorder.note(house)
    for outcome in ("failed", "success", "success", "success"):
        (claim, *_) = house.claim(1) or [None]
        recorder.note(house)
        house.finish(claim, outcome)
        recorder.note(house)
        house.pass_time(seconds=1)
        house.store.runs.advance(house.store.runs.due_ids(house.now), house.now)
        recorder.note(house)
    assert house.run_state() == "success"
    yield recorder
    store.close()


def open_copy(folder: Path, database: bytes, log: bytes) -> dict[int, tuple[str, int]]:
    """Open the files as they were left; return the task instances, having seen that all agrees."""
    path = folder / "left.db"
    for side in ("-wal", "-shm"):
        path.with_name(path.name + side).unlink(missing_ok=True)
    path.write_bytes(database)
    path.with_name("left.db-wal").write_bytes(log)
    with sqlite3.connect(path) as file:
        assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert file.execute("PRAGMA foreign_key_check").fetchall() == []
        rows = file.execute("SELECT id, state, epoch, claim_id FROM task_instance").fetchall()
        held = file.execute(
            "SELECT task_instance_id, max(epoch) FROM attempt WHERE state IN ('claimed', 'running')"
            " GROUP BY task_instance_id HAVING count(*) = 1"
        ).fetchall()
        twice = file.execute(
            "SELECT 1 FROM attempt WHERE state IN ('claimed', 'running')"
            " GROUP BY task_instance_id HAVING count(*) > 1"
        ).fetchall()
    file.close()
    running = {(id_, epoch) for id_, state, epoch, _ in rows if state == "running"}
    assert running == set(held)
    assert twice == []
    return {id_: (state, epoch) for id_, state, epoch, _ in rows}


def test_whatever_was_acknowledged_is_there_wherever_the_log_ends(recorded, tmp_path):
    database, log = recorded.path.read_bytes(), recorded.log.read_bytes()
    ends = recorded.commits()
    chance = random.Random(1)
    begin = recorded.acknowledged[0][0]
    cuts = [end for end in ends if end >= begin]
    cuts += [chance.randrange(one, other) for one, other in itertools.pairwise(cuts)]

    for cut in sorted(cuts):
        junk = chance.randbytes(chance.choice((0, 512, 9000)))  # of sectors that were on their way
        found = open_copy(tmp_path, database, log[:cut] + junk)

        sure = [known for size, known in recorded.acknowledged if size <= cut]
        possible = [sure[-1], *(known for size, known in recorded.acknowledged if size > cut)]
        assert found in possible, f"the log was cut at {cut}"

    assert len(cuts) > 15


def test_a_cut_while_the_log_is_written_back_loses_nothing(recorded, tmp_path):
    """Pages are copied into the file while the log stays whole until that is over."""
    before, log = recorded.path.read_bytes(), recorded.log.read_bytes()
    with sqlite3.connect(recorded.path) as file:
        file.execute("PRAGMA wal_checkpoint(FULL)")
    file.close()
    after = recorded.path.read_bytes()
    chance = random.Random(2)

    for _ in range(10):
        pages = range(0, len(after), 4096)
        written = {page for page in pages if chance.random() < 0.5}
        torn = b"".join(
            (after if page in written else before.ljust(len(after), b"\0"))[page : page + 4096]
            for page in pages
        )
        assert open_copy(tmp_path, torn, log) == recorded.acknowledged[-1][1]
