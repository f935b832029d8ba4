"""What a trigger logs stands in the log of the task that waits for it."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime

import pytest
from tradewind.database.values import ClaimedTrigger
from tradewind.runtime.supervise.log_files import append_lines
from tradewind.runtime.supervise.trigger_process import OsTriggerProcess
from tradewind.sdk.log_paths import task_log_path

AT = datetime(2026, 1, 1, tzinfo=UTC)
USERS = """
import logging
from tradewind.sdk.triggers import BaseTrigger, TriggerEvent

class Talking(BaseTrigger):
    def __init__(self, name):
        super().__init__()
        self.name = name
    def serialize(self):
        return "talking.Talking", {"name": self.name}
    async def run(self):
        logging.getLogger("mine").warning("%s looks\\nagain", self.name)
        yield TriggerEvent(self.name)
"""


@pytest.fixture
def process(tmp_path):
    (tmp_path / "talking.py").write_text(USERS)

    def write(path, lines):
        append_lines(tmp_path / path, lines, folder_mode=0o775, file_mode=0o664)

    made = OsTriggerProcess(environment=os.environ, import_folders=[str(tmp_path)], write_log=write)
    yield made
    made.stop()


def test_lines_of_two_triggers_go_to_the_logs_of_their_tasks(process, tmp_path):
    for number, name in ((1, "ada"), (2, "bob")):
        process.run(
            ClaimedTrigger(
                number, "talking.Talking", f'{{"name": "{name}"}}', None, "d", "r", name, -1, 1, AT
            )
        )
    reports = []
    deadline = time.monotonic() + 30
    while len(reports) < 2 and time.monotonic() < deadline:
        reports += process.wait(0.5).reports

    assert sorted(report.payload for report in reports) == ['"ada"', '"bob"']
    for name, other in (("ada", "bob"), ("bob", "ada")):
        text = (tmp_path / task_log_path("d", "r", name, -1, 1, AT)).read_text()
        assert f"WARNING - {name} looks\nagain\n" in text
        assert "the trigger talking.Talking begins" in text
        assert "the trigger fired" in text
        assert other not in text
