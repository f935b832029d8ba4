"""A log that a runner could not end is ended by the next one, whoever took the attempt from it."""

from __future__ import annotations

import pytest
from tradewind.runtime.supervise.open_logs import BYTES_MAX, OpenLogs
from tradewind.runtime.supervise.os_processes import OsProcesses
from tradewind.runtime.supervise.os_settings import OsSettings
from tradewind.runtime.supervise.verdict import verdict_of_left
from tradewind.sdk.clock import WallClock


@pytest.fixture
def note(tmp_path):
    made = OpenLogs(tmp_path / "run" / "runner.logs")
    yield made
    made.close()


def write(tmp_path, name: str, text: str) -> None:
    path = tmp_path / "logs" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_logs_without_a_last_line_are_told_once(note, tmp_path):
    write(tmp_path, "ended", "said\nTask ended: success\n")
    write(tmp_path, "given back", "Given back: the runner was stopped\n")
    write(tmp_path, "run id with blanks/open", "Task ended: success\nsaid\n")
    write(tmp_path, "empty", "")
    for name in ("ended", "given back", "run id with blanks/open", "empty", "never made"):
        note.note(name)

    left = OpenLogs(tmp_path / "run" / "runner.logs")  # the next runner
    assert left.take_left(tmp_path / "logs") == ["run id with blanks/open", "empty"]
    assert left.take_left(tmp_path / "logs") == []
    left.close()


def test_a_long_note_is_emptied_while_nothing_is_open(note, tmp_path):
    note.note("short")
    note.shorten()
    assert (tmp_path / "run" / "runner.logs").stat().st_size > 0

    note.note("x" * BYTES_MAX)
    note.shorten()

    assert (tmp_path / "run" / "runner.logs").stat().st_size == 0


def test_the_next_runner_writes_the_last_line(note, tmp_path):
    write(tmp_path, "run/task.log", "said\n")
    note.note("run/task.log")
    settings = OsSettings(log_folder=tmp_path / "logs", dags_folder=tmp_path, import_folders=[])
    processes = OsProcesses(settings, WallClock(), journal=-1, open_logs=note)

    processes.close_left_logs(verdict_of_left(has_begun=True))

    lines = (tmp_path / "logs/run/task.log").read_text().splitlines()
    assert lines[0] == "said"
    assert lines[-1].endswith("Task ended: lost (its runner died, and the task with it)")
