"""SQLite does not lie on another machine's disk."""

from __future__ import annotations

from pathlib import Path

import pytest
from tradewind.database import network_disks
from tradewind.database.errors import DatabaseError
from tradewind.database.migrate import create_missing_database
from tradewind.database.network_disks import file_system_of
from tradewind.database.store import open_store
from tradewind.sdk import configuration

MOUNTS = r"""
21 26 0:20 / /proc rw,nosuid shared:14 - proc proc rw
26 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
90 26 0:52 / /mnt/team\040share rw,relatime shared:2 master:7 - nfs4 server:/team rw,vers=4.2
91 90 254:1 / /mnt/team\040share/local rw - xfs /dev/vdb rw
92 26 0:53 / /mnt/c rw - 9p C:\134 rw
93 26 0:54 / /mnt/host rw - fuse.sshfs host:/ rw
94 26 0:55 / /mnt/twice rw - cifs //server/twice rw
95 94 254:2 / /mnt/twice rw - ext4 /dev/vdc rw
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/home/me/tradewind", "ext4"),
        ("/", "ext4"),
        ("/mnt/team share/tradewind", "nfs4"),
        ("/mnt/team share", "nfs4"),
        ("/mnt/team shares", "ext4"),
        ("/mnt/team share/local/x", "xfs"),
        ("/mnt/c/Users", "9p"),
        ("/mnt/host/x", "fuse.sshfs"),
        ("/mnt/twice/x", "ext4"),
    ],
)
def test_a_folder_is_on_the_innermost_mount_that_holds_it(folder, kind):
    assert file_system_of(folder, MOUNTS) == kind


@pytest.mark.skipif(not Path("/proc/self/mountinfo").exists(), reason="Linux tells")
def test_this_machines_mounts_can_be_read():
    assert file_system_of("/proc", Path("/proc/self/mountinfo").read_text()) == "proc"


@pytest.fixture
def share(tmp_path, monkeypatch):
    """A home on what the kernel calls a mount of NFS."""
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"90 26 0:52 / {tmp_path} rw shared:2 - nfs server:/team rw\n")
    monkeypatch.setattr(network_disks, "_MOUNTS", mounts)
    url = f"sqlite:///{tmp_path}/home/tradewind.db"
    monkeypatch.setenv("TRADEWIND__DATABASE__SQL_ALCHEMY_CONN", url)
    configuration.reset()
    return tmp_path / "home/tradewind.db"


def test_none_is_made_there(share):
    with pytest.raises(DatabaseError, match=r"network file system \(nfs\)") as caught:
        create_missing_database()

    assert "\n" not in str(caught.value)
    assert not share.exists()


def test_a_service_does_not_begin_on_one_that_was_carried_there(share, monkeypatch):
    monkeypatch.setenv("TRADEWIND__DATABASE__SQLITE_ON_NETWORK_DISK", "True")
    create_missing_database()
    open_store(service="scheduler").close()

    monkeypatch.delenv("TRADEWIND__DATABASE__SQLITE_ON_NETWORK_DISK")

    with pytest.raises(DatabaseError, match="network file system"):
        open_store(service="scheduler")
