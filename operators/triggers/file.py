"""Triggers that fire once a file is there, or is gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from ...sdk.triggers import BaseEventTrigger, BaseTrigger, TriggerEvent
from ..file_search import has_file


class FileTrigger(BaseTrigger):
    """Fires once *filepath* (``glob`` wildcards allowed) leads to a file.

    Args:
        recursive: ``**`` reaches folders of any depth.
        poke_interval: seconds between two looks.
    """

    def __init__(
        self, filepath: str, recursive: bool = False, poke_interval: float = 5.0, **kwargs: Any
    ) -> None:
        super().__init__()
        self.filepath = filepath
        self.recursive = recursive
        self.poke_interval = poke_interval

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return class path and arguments."""
        return (
            f"{__name__}.FileTrigger",
            {
                "filepath": self.filepath,
                "recursive": self.recursive,
                "poke_interval": self.poke_interval,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look again and again; a slow disk does not hold up other triggers."""
        while not await asyncio.to_thread(has_file, self.filepath, is_recursive=self.recursive):
            await asyncio.sleep(self.poke_interval)
        yield TriggerEvent(True)


class DirectoryFileDeleteTrigger(BaseEventTrigger):
    """Fires once *filename* is in *directory*, and removes the file."""

    def __init__(self, *, directory: str, filename: str, poke_interval: float = 5.0) -> None:
        super().__init__()
        self.directory = directory
        self.filename = filename
        self.poke_interval = poke_interval

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return class path and arguments."""
        return (
            f"{__name__}.DirectoryFileDeleteTrigger",
            {
                "directory": self.directory,
                "filename": self.filename,
                "poke_interval": self.poke_interval,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look again and again."""
        path = Path(self.directory, self.filename)
        await _wait_and_remove(path, self.poke_interval)
        yield TriggerEvent(str(path))


class FileDeleteTrigger(BaseEventTrigger):
    """Fires once *filepath* is there, and removes the file."""

    def __init__(self, filepath: str, poke_interval: float = 5.0, **kwargs: Any) -> None:
        super().__init__()
        self.filepath = filepath
        self.poke_interval = poke_interval

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return class path and arguments."""
        return (
            f"{__name__}.FileDeleteTrigger",
            {"filepath": self.filepath, "poke_interval": self.poke_interval},
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look again and again."""
        await _wait_and_remove(Path(self.filepath), self.poke_interval)
        yield TriggerEvent(True)


async def _wait_and_remove(path: Path, interval_s: float) -> None:
    while not await asyncio.to_thread(path.is_file):
        await asyncio.sleep(interval_s)
    await asyncio.to_thread(path.unlink, missing_ok=True)
