"""Is a folder on another machine's disk? SQLite's log is memory that processes share: not there.

Two machines, or one whose connection is lost for a moment, would write over each other's pages.
Source: ``reliability.md`` E13; SQLite's documentation, "Write-Ahead Logging".
"""

from __future__ import annotations

import os
from pathlib import Path

from .errors import DatabaseError

#: As the kernel names them, behind the "fuse." of some.
NETWORK_FILE_SYSTEMS = frozenset(
    [
        "9p",
        "afs",
        "beegfs",
        "ceph",
        "cephfs",
        "cifs",
        "davfs",
        "davfs2",
        "glusterfs",
        "gpfs",
        "lustre",
        "mfs",
        "ncpfs",
        "nfs",
        "nfs4",
        "rclone",
        "s3fs",
        "smb2",
        "smb3",
        "smbfs",
        "sshfs",
    ]
)
_MOUNTS = Path("/proc/self/mountinfo")


def refuse_network_disk(database_path: Path) -> None:
    """Do nothing where a SQLite file may lie.

    Raises:
        DatabaseError: it would lie on the disk of another machine.
    """
    try:
        mounts = _MOUNTS.read_text(errors="surrogateescape")
    except OSError:  # not Linux: it cannot be told
        return
    folder = os.path.realpath(database_path.absolute().parent)
    kind = file_system_of(folder, mounts)
    if kind.removeprefix("fuse.") in NETWORK_FILE_SYSTEMS:
        raise DatabaseError(
            f"The database {database_path} would lie on a network file system ({kind}), where"
            " SQLite loses data. Set TRADEWIND_HOME, or [database] sql_alchemy_conn, to a folder"
            " of a local disk, or to PostgreSQL; [database] sqlite_on_network_disk = True takes"
            " the risk."
        )


def file_system_of(folder: str, mounts: str) -> str:
    """Return the kind of file system that a folder is on, "" where it cannot be told.

    Args:
        folder: without links in it.
        mounts: what ``/proc/self/mountinfo`` says.
    """
    best, kind = -1, ""
    for line in mounts.splitlines():
        words = line.split(" ")
        if len(words) < 10 or "-" not in words:
            continue
        point = _plain(words[4])
        is_inside = folder == point or folder.startswith(point.rstrip("/") + "/")
        if is_inside and len(point) >= best:  # a later mount hides an earlier one
            best, kind = len(point), words[words.index("-") + 1]
    return kind


def _plain(text: str) -> str:
    """Turn what the kernel writes as octal numbers back: blank, tab, newline, backslash."""
    for number in ("040", "011", "012", "134"):
        text = text.replace(f"\\{number}", chr(int(number, 8)))
    return text
