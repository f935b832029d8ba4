"""Whether a deadline's callback is called when its message comes up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from tradewind.scheduler.callback_orders import prepare_order
from tradewind.scheduler.parse_settings import DagRoot, ParseSettings

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@dataclass
class Run:
    dag_id: str = "d"
    run_id: str = "r"
    queued_at: datetime | None = NOON
    ended_at: datetime | None = None


def prepared(run, tmp_path, *, is_of_queueing=False, is_known=True):
    payload = {
        "run_id": "r",
        "index": 0,
        "name": "late",
        "deadline_at": (NOON + HOUR).isoformat() if is_known else "",
        "interval_s": 60.0,
        "queued_at": NOON.isoformat(),
        "is_of_queueing": is_of_queueing,
        "reason": "late",
        "relative_fileloc": "d.py",
    }
    row = SimpleNamespace(id=1, kind="deadline", dag_id="d", payload=payload)
    store = SimpleNamespace(runs=SimpleNamespace(find=lambda dag_id, run_id: run))
    settings = ParseSettings(roots=(DagRoot(tmp_path),))
    return prepare_order(store, row, "key", settings)


@pytest.mark.parametrize(
    ("run", "is_called"),
    [
        (Run(), True),
        (Run(ended_at=NOON + HOUR), False),
        (Run(ended_at=NOON + 2 * HOUR), True),
        (None, False),
    ],
)
def test_a_run_that_was_in_time_or_is_gone_is_not_told_of(tmp_path, run, is_called):
    assert (prepared(run, tmp_path) is not None) == is_called


def test_a_run_that_was_cleared_since_has_another_deadline(tmp_path):
    cleared = Run(queued_at=NOON + 2 * HOUR)

    assert prepared(cleared, tmp_path, is_of_queueing=True) is None
    assert prepared(cleared, tmp_path) is not None


def test_the_order_names_alert_run_and_file(tmp_path):
    order = prepared(Run(), tmp_path).order

    assert order.path == str(tmp_path / "d.py")
    assert order.deadline["index"] == 0
    assert order.deadline["deadline_time"] == NOON + HOUR
    assert order.deadline["dag_run"]["run_id"] == "r"


def test_a_reference_is_asked_while_the_run_has_not_ended(tmp_path):
    asked = prepared(Run(), tmp_path, is_known=False)

    assert (asked.order.deadline["deadline_time"], asked.order.deadline["interval_s"]) == (None, 60)
    assert prepared(Run(ended_at=NOON), tmp_path, is_known=False) is None
