"""Telling cheaply that a file which a host read while importing is another one now."""

from __future__ import annotations

import os
from collections.abc import Iterable


def watched_paths(paths: Iterable[str]) -> dict[str, tuple[int, int, int]]:
    """Return each path with its signature now."""
    return {path: stat_signature(path) for path in paths}


def stat_signature(path: str) -> tuple[int, int, int]:
    """Return what tells cheaply that a file is another one than before."""
    try:
        status = os.stat(path)  # noqa: PTH116 - called for every input before every task
    except OSError:
        return (0, 0, 0)
    return (status.st_size, status.st_mtime_ns, status.st_ino)
