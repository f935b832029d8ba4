"""The log file of one try."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tradewind.runtime.supervise.log_files import LINE_BYTES_MAX, TaskLog
from tradewind.sdk.clock import VirtualClock
from tradewind.sdk.log_paths import task_log_path

AT = datetime(2026, 1, 1, 12, 0, 0, 5000, tzinfo=UTC)
CLOCK = VirtualClock(AT)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "attempt=1.log"


def test_plain_lines_get_the_time_and_logging_keeps_its_own(path):
    log = TaskLog(path, CLOCK)

    log.feed(b"plain\n\x1e[my time] first\n\x1fsecond\nrest")
    log.close("done")

    assert path.read_text().splitlines() == [
        "[2026-01-01T12:00:00.005+0000] {stdout} INFO - plain",
        "[my time] first",
        "second",
        "[2026-01-01T12:00:00.005+0000] {stdout} INFO - rest",
        "[2026-01-01T12:00:00.005+0000] {runner} INFO - done",
    ]


def test_a_secret_is_masked_in_every_usual_form_also_across_reads(path):
    log = TaskLog(path, CLOCK)
    log.mask(["pa/ss word", "abc"])

    log.feed(b"plain pa/s")
    log.feed(b"s word and pa%2Fss%20word and cGEvc3Mgd29yZA== but abc\n")
    log.close("pa/ss word")

    text = path.read_text()
    assert "ss" not in text.replace("***", "")
    assert "plain *** and *** and *** but abc" in text


def test_a_line_without_end_is_written_in_pieces(path):
    log = TaskLog(path, CLOCK)

    log.feed(b"z" * (LINE_BYTES_MAX * 2 + 10))

    assert path.stat().st_size > LINE_BYTES_MAX
    log.close("done")
    assert path.read_text().count("z") == LINE_BYTES_MAX * 2 + 10


def test_any_bytes_are_kept(path):
    log = TaskLog(path, CLOCK)

    log.feed(b"\xff\x00\x1b[31m\n")
    log.close("done")

    assert b"\xff\x00\x1b[31m" in path.read_bytes()


def test_a_second_attempt_of_the_same_try_is_appended(path):
    TaskLog(path, CLOCK).close("first")
    TaskLog(path, CLOCK).close("second")

    assert [line.split(" - ")[1] for line in path.read_text().splitlines()] == ["first", "second"]


def test_a_folder_that_cannot_be_made_costs_the_log_and_nothing_else(tmp_path):
    (tmp_path / "file").write_text("in the way")
    log = TaskLog(tmp_path / "file" / "attempt=1.log", CLOCK)

    log.feed(b"lost\n")
    log.close("done")

    assert log.last_lines()[0].endswith("lost")


def test_the_layout_is_airflows():
    path = task_log_path("d", "manual__2026-01-01T00:00:00+00:00", "g.t", 3, 2, AT)

    assert (
        path
        == "dag_id=d/run_id=manual__2026-01-01T00:00:00+00:00/task_id=g.t/map_index=3/attempt=2.log"
    )
    assert "map_index" not in task_log_path("d", "r", "t", -1, 1, AT)


@pytest.mark.parametrize("name", ["../../etc", "a/b", "a\nb", "a\0b", "x" * 1000, "\ud800"])
def test_no_id_leads_out_of_its_folder(name, tmp_path):
    path = task_log_path(name, name, name, -1, 1, AT)

    assert len(path.split("/")) == 4
    assert all(len(part.encode()) < 255 for part in path.split("/"))
    TaskLog(tmp_path / path, CLOCK).close("done")
    assert (tmp_path / path).read_text()


def test_ids_that_differ_have_logs_that_differ():
    names = ["a/b", "a%2fb", "x" * 999, "x" * 1000]

    assert len({task_log_path(name, "r", "t", -1, 1, AT) for name in names}) == 4
