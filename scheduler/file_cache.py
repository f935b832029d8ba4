"""Contents and fingerprints of paths, read again only where size or times changed."""

from __future__ import annotations

from pathlib import Path

from ..runtime.task.recorded_inputs import ABSENT, fingerprint_path
from .discovery import FileContent, FoundFile, read_content

_Stamp = tuple[int, int, int]


class FileCache:
    """What scans have read. Paths that a scan no longer asks for are forgotten by ``trim``."""

    def __init__(self) -> None:
        self._contents: dict[str, tuple[_Stamp, FileContent]] = {}
        self._fingerprints: dict[str, tuple[_Stamp, str]] = {}
        self._asked: set[str] = set()

    def content(self, found: FoundFile) -> FileContent:
        """Return hash and mention of a file. Raises OSError where it cannot be read."""
        key = str(found.path)
        self._asked.add(key)
        held = self._contents.get(key)
        if held is None or held[0] != found.stamp:
            held = (found.stamp, read_content(found.path))
            self._contents[key] = held
        return held[1]

    def fingerprint(self, path: str) -> str:
        """Return what ``fingerprint_path`` says, without reading what did not change."""
        self._asked.add(path)
        try:
            status = Path(path).stat()
        except OSError:
            self._fingerprints.pop(path, None)
            return ABSENT
        stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        held = self._fingerprints.get(path)
        if held is None or held[0] != stamp:
            held = (stamp, fingerprint_path(path))
            self._fingerprints[path] = held
        return held[1]

    def trim(self) -> None:
        """End a scan: forget what it did not ask for."""
        for held in (self._contents, self._fingerprints):
            for key in held.keys() - self._asked:
                del held[key]
        self._asked.clear()
