from __future__ import annotations

import select

from tradewind.scheduler.folder_watch import FolderWatcher

#: Generous for a busy machine; a change is told within a tenth of a second as a rule.
PATIENCE_S = 10.0


def test_a_new_file_in_a_folder_below_is_told(tmp_path):
    (tmp_path / "team").mkdir()
    watcher = FolderWatcher([tmp_path])
    watcher.start()
    try:
        told: list[int] = []
        for number in range(100):  # the watch begins a moment after start()
            (tmp_path / "team" / f"{number}.py").write_text("x")
            told, _, _ = select.select([watcher.fileno()], [], [], PATIENCE_S / 100)
            if told:
                break

        assert told
        assert watcher.drain()
    finally:
        watcher.stop()


def test_a_folder_that_is_not_there_is_left_to_the_scans(tmp_path):
    watcher = FolderWatcher([tmp_path / "gone"])
    watcher.start()

    assert not watcher.drain()
    assert watcher.error == ""
