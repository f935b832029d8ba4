from __future__ import annotations

import sys

import pytest
from tradewind.scheduler.inotify import Inotify

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="an interface of Linux")


@pytest.fixture
def watch(tmp_path):
    made: list[Inotify] = []

    def begin() -> Inotify:
        made.append(Inotify([tmp_path], frozenset({"__pycache__"})))
        return made[-1]

    yield begin
    for one in made:
        one.close()


def test_what_is_written_changed_and_removed_is_told(tmp_path, watch):
    events = watch()
    path = tmp_path / "a.py"

    assert not events.read()
    path.write_text("x")
    assert events.read()
    path.write_text("y")
    assert events.read()
    path.rename(tmp_path / "b.py")
    assert events.read()
    (tmp_path / "b.py").unlink()
    assert events.read()
    assert not events.read()


def test_a_folder_that_came_later_is_watched_with_all_below_it(tmp_path, watch):
    events = watch()
    (tmp_path / "team" / "deep").mkdir(parents=True)

    assert events.read()
    (tmp_path / "team" / "deep" / "a.py").write_text("x")
    assert events.read()


def test_a_link_to_a_folder_is_followed_once(tmp_path, tmp_path_factory, watch):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (tmp_path / "link").symlink_to(elsewhere)
    (elsewhere / "back").symlink_to(tmp_path)
    events = watch()

    (elsewhere / "a.py").write_text("x")
    assert events.read()


def test_of_bytecode_nothing_is_heard(tmp_path, watch):
    events = watch()
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.pyc").write_text("x")

    assert not events.read()


def test_a_folder_that_was_removed_and_made_again_is_watched_again(tmp_path, watch):
    (tmp_path / "team").mkdir()
    events = watch()
    (tmp_path / "team").rmdir()
    (tmp_path / "team").mkdir()
    assert events.read()

    (tmp_path / "team" / "a.py").write_text("x")
    assert events.read()
