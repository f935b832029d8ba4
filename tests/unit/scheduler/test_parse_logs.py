from __future__ import annotations

from datetime import UTC, datetime

from tradewind.runtime.task.parse_messages import ParseAnswer, ParseRequest
from tradewind.scheduler.parse_children import FinishedParse
from tradewind.scheduler.parse_logs import ParseLogs
from tradewind.sdk.clock import VirtualClock


def keep(folder, *, output="", error=""):
    logs = ParseLogs(folder, VirtualClock(datetime(2026, 1, 2, tzinfo=UTC)))
    request = ParseRequest(path="/dags/team/a.py", relative_path="team/a.py", import_folders=[])
    logs.keep(FinishedParse(request, ParseAnswer(error=error), "", 0.5, output))


def test_what_a_file_prints_and_its_error_are_kept_under_the_day(tmp_path):
    keep(tmp_path, output="loading\n", error="ValueError: x")

    text = (tmp_path / "dag_processor/2026-01-02/dags-folder/team/a.py.log").read_text()
    assert "loading" in text
    assert text.endswith("ValueError: x\n")


def test_a_silent_good_parse_writes_nothing(tmp_path):
    keep(tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_a_log_folder_that_cannot_be_written_stops_nothing(tmp_path):
    (tmp_path / "dag_processor").write_text("in the way")

    keep(tmp_path, output="loading")
