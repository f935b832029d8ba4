"""The operator is told when an older database was put back."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta

import pytest
from tradewind.database.migrate import migrate
from tradewind.database.settings import StoreSettings
from tradewind.database.store import Store
from tradewind.scheduler.quarantine import Quarantine
from tradewind.scheduler.remember_history import RememberHistory
from tradewind.scheduler.step import Tick
from tradewind.sdk.clock import WallClock

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def look(tmp_path, caplog):
    """What a scheduler that starts in the home says about its database."""
    migrate(StoreSettings(url=f"sqlite:///{tmp_path}/tradewind.db"))

    def start_and_look(*acts: str, minute: int = 0) -> list[str]:
        store = Store(StoreSettings(url=f"sqlite:///{tmp_path}/tradewind.db"))
        clock = WallClock()
        for act in acts:
            store.events.record(act, actor="user:me", now=NOW + timedelta(minutes=minute))
        caplog.clear()
        step = RememberHistory(store, clock, tmp_path / "run" / "newest_event")
        step.run(Tick(now=NOW, is_sweep=True, quarantine=Quarantine(clock)))
        store.close()
        return caplog.messages

    return start_and_look


def test_a_database_that_only_grew_is_nothing_to_tell(look):
    assert look() == []
    assert look("one") == []
    assert look("two", "three") == []
    assert look() == []


@pytest.mark.parametrize("later", [(), ("other", "others", "and", "others")])
def test_an_older_one_is_told_once_with_both_times(look, tmp_path, later):
    look("one")
    shutil.copy(tmp_path / "tradewind.db", tmp_path / "backup.db")
    look("two", "three", minute=5)
    for path in tmp_path.glob("tradewind.db-*"):
        path.unlink()
    (tmp_path / "backup.db").rename(tmp_path / "tradewind.db")

    (told,) = look(*later, minute=9)

    assert "older than the one that was here until 2026-01-01 12:05:00 UTC" in told
    assert "may run again" in told
    assert look() == []


def test_a_file_that_somebody_wrote_is_no_reason_to_stop(look, tmp_path):
    look("one")
    (tmp_path / "run" / "newest_event").write_text("[nonsense")

    assert look() == []
