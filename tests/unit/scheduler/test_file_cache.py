from __future__ import annotations

import os

from tradewind.runtime.task.recorded_inputs import ABSENT
from tradewind.scheduler.file_cache import FileCache


def test_a_fingerprint_follows_content_presence_and_names(tmp_path):
    cache = FileCache()
    path, folder = tmp_path / "a.yaml", tmp_path / "tables"
    assert cache.fingerprint(str(path)) == ABSENT

    path.write_text("a: 1")
    folder.mkdir()
    file_before, folder_before = cache.fingerprint(str(path)), cache.fingerprint(str(folder))
    path.write_text("a: 22")
    (folder / "one").write_text("")

    assert cache.fingerprint(str(path)) not in (file_before, ABSENT)
    assert cache.fingerprint(str(folder)) != folder_before


def test_the_same_content_has_the_same_fingerprint_whenever_it_was_written(tmp_path):
    cache = FileCache()
    path = tmp_path / "a.yaml"
    path.write_text("a: 1")
    before = cache.fingerprint(str(path))

    os.utime(path, (1, 1))

    assert cache.fingerprint(str(path)) == before


def test_what_a_scan_does_not_ask_for_is_forgotten(tmp_path):
    cache = FileCache()
    path = tmp_path / "a.yaml"
    path.write_text("a: 1")
    cache.fingerprint(str(path))

    cache.trim()
    cache.trim()

    assert cache._fingerprints == {}
