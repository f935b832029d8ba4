"""What services write about themselves."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
from tradewind.scheduler.service_log import configure_service_log
from tradewind.sdk import configuration


@pytest.fixture(autouse=True)
def root_logger_as_before(tmp_path, monkeypatch) -> Iterator[None]:
    monkeypatch.setenv("TRADEWIND_HOME", str(tmp_path))
    configuration.reset()
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    configuration.reset()


def fail_with_a_password() -> None:
    try:
        raise ValueError("no postgresql://tradewind:s3cret@db/tradewind\nhere")
    except ValueError:
        logging.getLogger("tradewind.test").exception("it failed", extra={"dag_id": "sales"})


def test_a_line_says_when_who_how_bad_and_what_and_no_password(capsys):
    configure_service_log("scheduler")
    fail_with_a_password()

    text = capsys.readouterr().err
    assert "scheduler     ERROR   it failed" in text
    assert "s3cret" not in text


def test_with_json_logs_each_record_is_one_object_with_its_extras(capsys, monkeypatch):
    monkeypatch.setenv("AIRFLOW__LOGGING__JSON_LOGS", "True")
    configure_service_log("scheduler")
    fail_with_a_password()

    [line] = capsys.readouterr().err.splitlines()
    entry = json.loads(line)
    assert entry["level"] == "error"
    assert entry["service"] == "scheduler"
    assert entry["event"] == "it failed"
    assert entry["dag_id"] == "sales"
    assert "ValueError" in entry["exception"]
    assert "s3cret" not in line
