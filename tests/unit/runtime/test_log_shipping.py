"""Logs of ended tries are shipped to wherever fsspec can write, and none is forgotten."""

from __future__ import annotations

import fsspec
import pytest
from tradewind.runtime.supervise.log_shipping import LogShipper, ShippingNotes, joined

LOG = "dag_id=d/run_id=r/task_id=t/attempt=1.log"


@pytest.fixture(params=["file", "memory"])
def store(request, tmp_path):
    """A file system and a folder in it."""
    filesystem = fsspec.filesystem(request.param)
    return filesystem, f"{tmp_path}/store" if request.param == "file" else f"/{tmp_path.name}"


@pytest.fixture
def place(tmp_path, store):
    """Write local logs, note them, ship them."""

    class Place:
        folder = tmp_path / "logs"
        notes = ShippingNotes(tmp_path / "shipping")
        filesystem, url = store

        def write(self, data: bytes) -> None:
            path = self.folder / LOG
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            self.notes.add(LOG)

        def shipper(self, filesystem=None, *, deletes: bool = False) -> LogShipper:
            chosen = filesystem or self.filesystem
            return LogShipper(self.notes, self.folder, chosen, self.url, deletes=deletes)

        def stored(self) -> bytes:
            return self.filesystem.cat_file(f"{self.url}/{LOG}")

    return Place()


def test_a_complete_log_is_shipped_once(place):
    place.write(b"one\n")

    assert place.shipper().ship_all() == 1
    assert place.shipper().ship_all() == 0
    assert place.stored() == b"one\n"
    assert (place.folder / LOG).exists()


def test_a_local_log_that_has_arrived_may_go(place):
    place.write(b"one\n")

    place.shipper(deletes=True).ship_all()

    assert not (place.folder / LOG).exists()
    assert place.stored() == b"one\n"


def test_a_store_that_is_away_loses_nothing(place):
    class Away:
        def exists(self, url):
            raise OSError("away")

    place.write(b"one\n")
    with pytest.raises(OSError, match="away"):
        place.shipper(Away()).ship_all()

    assert place.shipper().ship_all() == 1
    assert place.stored() == b"one\n"


@pytest.mark.parametrize(
    ("there", "here", "together"),
    [
        (b"", b"a\n", b"a\n"),
        (b"a\n", b"a\nb\n", b"a\nb\n"),
        (b"a\n", b"b\n", b"a\nb\n"),
        (b"a\nb\n", b"a\nc\n", b"a\nb\nc\n"),
        (b"a\n", b"a\n", b"a\n"),
    ],
)
def test_a_try_on_several_workers_is_one_log(there, here, together):
    assert joined(there, here) == together
