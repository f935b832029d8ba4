"""Which hosts stay, and which go."""

from __future__ import annotations

import pytest
from tradewind.runtime.supervise.hosts import Host, HostPool, HostSettings
from tradewind.runtime.task.protocol import HostReady
from tradewind.runtime.task.watched_files import watched_paths

SETTINGS = HostSettings(hosts_max=2, memory_max_bytes=100, idle_s=60, age_max_s=600, broken_s=10)


@pytest.fixture
def pool() -> HostPool:
    return HostPool(SETTINGS)


def host(path: str = "a.py", pid: int = 1, *, at: float = 0.0, **ready) -> Host:
    return Host(path, pid, None, None, at, at, ready=HostReady(**ready))


def test_a_loaded_host_serves_its_file_until_it_is_too_old(pool):
    one = host()
    pool.add(one)

    assert pool.usable("a.py", 599) is one
    assert pool.usable("a.py", 601) is None
    assert pool.usable("b.py", 1) is None


def test_a_host_whose_inputs_changed_is_not_used(pool, tmp_path):
    data = tmp_path / "table.yaml"
    data.write_text("a: 1")
    one = host(watched=watched_paths([str(data)]))
    pool.add(one)
    assert pool.usable("a.py", 1) is one

    data.write_text("a: 1\nb: 2")

    assert pool.usable("a.py", 1) is None


def test_a_broken_file_is_not_imported_again_at_once(pool):
    one = host(error="SyntaxError")
    pool.add(one)

    assert pool.usable("a.py", 9) is one
    assert pool.usable("a.py", 11) is None


def test_the_last_good_host_stands_in_until_its_successor_has_loaded(pool):
    old, new = host(pid=1), host(pid=2)
    pool.add(old)

    pool.add(new)
    assert pool.stand_in("a.py") is old
    pool.loaded(new)

    assert pool.stand_in("a.py") is None
    assert pool.expendable(1, {}) == [old]


def test_the_least_recently_used_goes_first_and_a_busy_host_never(pool):
    hosts = [host(f"{number}.py", number, at=float(number)) for number in range(4)]
    for one in hosts:
        pool.add(one)
    hosts[0].running.add("1-1")

    assert pool.expendable(10, {}) == hosts[1:3]


def test_memory_beyond_the_budget_is_given_back(pool):
    one, two = host("1.py", 1, at=1), host("2.py", 2, at=2)
    pool.add(one)
    pool.add(two)

    assert pool.expendable(10, {1: 60, 2: 60}) == [one]
    assert pool.expendable(10, {1: 40, 2: 60}) == []


def test_an_idle_host_expires(pool):
    one = host()
    pool.add(one)

    assert pool.expendable(59, {}) == []
    assert pool.expendable(61, {}) == [one]
