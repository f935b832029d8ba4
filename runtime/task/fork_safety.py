"""May a process that has imported a DAG file fork task processes?

A thread that importing started does not exist in a forked child, but the locks it held do; a
socket it opened would be shared by all children. Such a file's tasks start in fresh
interpreters instead. Source: ``spec/reliability.md`` R8.
"""

from __future__ import annotations

import os
import stat
import sys
import threading
from pathlib import Path

_DESCRIPTORS = Path("/proc/self/fd")
_THREADS = Path("/proc/self/task")


def open_sockets() -> set[int]:
    """Return the descriptors of this process that are sockets; empty where unknown."""
    sockets: set[int] = set()
    if not _DESCRIPTORS.is_dir():
        return sockets
    for entry in os.listdir(_DESCRIPTORS):  # noqa: PTH208 - Path.iterdir would build objects
        number = int(entry)
        try:
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                sockets.add(number)
        except OSError:  # the descriptor of the listing itself
            continue
    return sockets


def reason_against_forking(sockets_before: set[int]) -> str:
    """Say why this process must not fork, or return an empty text.

    Args:
        sockets_before: what ``open_sockets`` said before the DAG file was imported.
    """
    names = [thread.name for thread in threading.enumerate()]
    if len(names) > 1:
        return f"importing the file started threads ({', '.join(names[1:4])})"
    # OpenBLAS, which numpy brings, starts threads but ends them itself before each fork.
    if _THREADS.is_dir() and "numpy" not in sys.modules:
        count = len(os.listdir(_THREADS))  # noqa: PTH208 - a count is all that is needed
        if count > 1:
            return f"importing the file started {count - 1} threads outside Python"
    if open_sockets() - sockets_before:
        return "importing the file opened a network connection"
    return ""
