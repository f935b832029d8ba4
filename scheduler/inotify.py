"""Linux's own events about files, by the system calls themselves.

``watchfiles`` asks for what has come thirty times a second, for as long as nothing comes: a sixth
of what everything costs at rest. Here nobody is awake before there is something to read. Events
are merged, since they say no more than that it is time to look.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

_MODIFY, _ATTRIB, _CLOSE_WRITE = 0x2, 0x4, 0x8
_MOVED_FROM, _MOVED_TO = 0x40, 0x80
_CREATE, _DELETE = 0x100, 0x200
_WANTED = _MODIFY | _ATTRIB | _CLOSE_WRITE | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE
_ONLY_FOLDERS = 0x0100_0000
#: What the kernel adds: too much came at once; the folder is gone; it is about a folder.
_OVERFLOW, _IGNORED, _IS_FOLDER = 0x4000, 0x8000, 0x4000_0000
_NONBLOCK, _CLOEXEC = os.O_NONBLOCK, os.O_CLOEXEC
_HEAD = struct.Struct("iIII")  # watch, mask, cookie, length of the name
_READ_BYTES = 64 * 1024


class Inotify:
    """Watches folders and all below them, also those that come later; links are followed."""

    def __init__(self, folders: Iterable[Path], left_out: frozenset[str]) -> None:
        """Begin to watch.

        Args:
            left_out: names of folders and files of which nothing is to be heard.

        Raises:
            OSError: the system has no events, or no more watches to give.
        """
        self._left_out = left_out
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._folders = list(folders)
        self._watched: dict[int, Path] = {}
        try:
            self._fd = self._called(self._libc.inotify_init1(_NONBLOCK | _CLOEXEC))
        except AttributeError as error:
            raise OSError("this system has no inotify") from error
        try:
            for folder in self._folders:
                self._watch(folder)
        except OSError:
            self.close()
            raise

    def fileno(self) -> int:
        """Readable when something has come."""
        return self._fd

    def read(self) -> bool:
        """Take all that has come; True if some of it is of interest.

        Raises:
            OSError: there are no more watches for a folder that came.
        """
        is_of_interest = False
        for watch, mask, name in self._events():
            if mask & _OVERFLOW:  # folders that came may be among what was lost
                is_of_interest = True
                for each in self._folders:
                    self._watch(each)
            elif mask & _IGNORED:
                self._watched.pop(watch, None)
            elif name not in self._left_out:
                is_of_interest = True
                folder = self._watched.get(watch)
                if folder is not None and mask & _IS_FOLDER and mask & (_CREATE | _MOVED_TO):
                    self._watch(folder / name)
        return is_of_interest

    def close(self) -> None:
        """Watch no more."""
        os.close(self._fd)

    def _events(self) -> Iterator[tuple[int, int, str]]:
        while True:
            try:
                data = os.read(self._fd, _READ_BYTES)
            except BlockingIOError:
                return
            at = 0
            while at < len(data):
                watch, mask, _cookie, length = _HEAD.unpack_from(data, at)
                at += _HEAD.size
                yield watch, mask, os.fsdecode(data[at : at + length].rstrip(b"\0"))
                at += length

    def _watch(self, folder: Path) -> None:
        """Watch a folder and all below it. One that is watched already is, all the same."""
        seen: set[tuple[int, int]] = set()  # a link may lead back to a folder above it
        for path, names, _files in os.walk(folder, followlinks=True):
            try:
                status = os.stat(path)  # noqa: PTH116 - walked as text
                self._watched[self._added(path)] = Path(path)
            except (FileNotFoundError, NotADirectoryError, PermissionError):
                names.clear()  # it went meanwhile, or is none of ours: scans tell what is wrong
                continue
            identity = (status.st_dev, status.st_ino)
            if identity in seen:
                names.clear()
                continue
            seen.add(identity)
            names[:] = [name for name in names if name not in self._left_out]

    def _added(self, path: str) -> int:
        encoded = os.fsencode(path)
        added = self._libc.inotify_add_watch(self._fd, encoded, _WANTED | _ONLY_FOLDERS)
        return self._called(added, path)

    @staticmethod
    def _called(answer: int, path: str | None = None) -> int:
        if answer < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), path)
        return answer
