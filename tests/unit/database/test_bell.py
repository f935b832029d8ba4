"""Bells wake, and never fail."""

from __future__ import annotations

import select

from tradewind.database.bell import Bell, Listener, bell_folder


def is_rung(listener) -> bool:
    ready, _, _ = select.select([listener], [], [], 0)
    return bool(ready)


def test_everyone_who_listens_for_a_name_is_woken(tmp_path):
    first, second = Listener(tmp_path, "runner"), Listener(tmp_path, "runner")
    other = Listener(tmp_path, "web")
    bell = Bell(tmp_path)

    bell.ring("runner")
    bell.ring("runner")

    assert is_rung(first)
    assert is_rung(second)
    assert not is_rung(other)
    assert first.drain() == 2
    assert not is_rung(first)
    for one in (first, second, other):
        one.close()
    bell.close()


def test_a_listener_that_is_gone_is_swept_away(tmp_path):
    listener = Listener(tmp_path, "runner")
    listener._socket.close()  # as if its process had been killed

    Bell(tmp_path).ring("runner")

    assert not listener.path.exists()


def test_a_full_bell_is_no_reason_to_wait(tmp_path):
    listener = Listener(tmp_path, "runner")
    bell = Bell(tmp_path)

    for _ in range(5000):
        bell.ring("runner")

    assert listener.drain() > 0
    listener.close()


def test_ringing_where_nobody_ever_listened_does_nothing(tmp_path):
    Bell(tmp_path / "none").ring("web")
    Bell(None).ring("web")


def test_a_home_with_a_long_path_has_its_bells_in_a_short_place(tmp_path):
    home = tmp_path / ("deep" * 30)
    home.mkdir()

    listener = Listener(home, "web")
    Bell(home).ring("web")

    assert is_rung(listener)
    assert not str(bell_folder(home)).startswith(str(home))
    listener.close()
