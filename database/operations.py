"""What every group of store operations stands on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .bell import Bell
from .engine import Database
from .remembered import Remembered
from .settings import StoreSettings
from .versions import VersionCache

if TYPE_CHECKING:
    from .encryption import Cipher


@dataclass(frozen=True, slots=True)
class Ground:
    """The database, and what the process keeps beside it."""

    database: Database
    settings: StoreSettings
    versions: VersionCache
    bell: Bell
    cipher: Cipher
    remembered: Remembered


class Operations:
    """A group of named operations. Each public method is one transaction."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._database = ground.database
        self._settings = ground.settings
        self._versions = ground.versions
        self._remembered = ground.remembered

    def _ring(self, *names: str) -> None:
        """Wake others, after a commit. A lost ring costs one sweep at most."""
        if names:
            self._ground.bell.ring(*names)
