"""What a backfill in the foreground says while it waits."""

from __future__ import annotations

from tradewind.cli import backfill_run


def test_a_full_disk_is_told_of_once_until_there_is_room(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TRADEWIND_HOME", str(tmp_path))

    assert backfill_run._tell_of_full_disk(was_full=False) is False
    monkeypatch.setattr(backfill_run, "FREE_BYTES_MIN", 2**62)
    assert backfill_run._tell_of_full_disk(was_full=False) is True
    assert backfill_run._tell_of_full_disk(was_full=True) is True

    said = capsys.readouterr().err
    assert said == f"The disk of {tmp_path} is full: the backfill waits until there is room.\n"
