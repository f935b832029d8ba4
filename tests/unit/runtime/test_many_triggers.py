"""Thousands of triggers wait in one process, and each is heard of once it fires."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tradewind.database.values import ClaimedTrigger
from tradewind.operators.triggers.temporal import DateTimeTrigger
from tradewind.runtime.supervise.trigger_process import OsTriggerProcess
from tradewind.sdk.timezone import utcnow
from tradewind.sdk.xcom_serialization import encode

AT = datetime(2026, 1, 1, tzinfo=UTC)
COUNT = 5000


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.slow
def test_five_thousand_triggers_fire_in_one_process(record_property):
    process = OsTriggerProcess(environment=os.environ, import_folders=[])
    moment = utcnow() + timedelta(seconds=20)
    class_path, kwargs = DateTimeTrigger(moment).serialize()
    text, _ = encode(kwargs, task_id="", key="trigger")
    try:
        for number in range(COUNT):
            process.run(
                ClaimedTrigger(number, class_path, text, None, "d", "r", f"t{number}", -1, 1, AT)
            )
        pid = next(iter(children_of(os.getpid())))
        fired: set[int] = set()
        deadline = time.monotonic() + 120
        while len(fired) < COUNT and time.monotonic() < deadline:
            heard = process.wait(1.0)
            assert not heard.has_died
            assert not [report.error for report in heard.reports if report.error]
            fired |= {report.trigger_id for report in heard.reports}
        late_s = (utcnow() - moment).total_seconds()
        status = Path(f"/proc/{pid}/status").read_text()
        figures = {
            "CPU seconds": cpu_s(pid),
            "peak MB": int(status.split("VmHWM:")[1].split()[0]) / 1024,
            "seconds late": late_s,
        }
    finally:
        process.stop()

    for name, value in figures.items():
        record_property(name, value)
    assert len(fired) == COUNT
    assert late_s < 30


def test_a_triggerer_that_only_gives_orders_is_not_held_up_by_what_triggers_say():
    process = OsTriggerProcess(environment=os.environ, import_folders=[])
    class_path, kwargs = DateTimeTrigger(utcnow() + timedelta(days=1)).serialize()
    text, _ = encode(kwargs, task_id="", key="trigger")
    name = "t" * 200  # each says its name: more than the sockets' buffers hold
    try:
        for number in range(3000):
            process.run(ClaimedTrigger(number, class_path, text, None, "d", "r", name, -1, 1, AT))
        heard = process.wait(1.0)
    finally:
        process.stop()

    assert not heard.has_died


def children_of(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(one) for one in found]
