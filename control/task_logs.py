"""Where the log of one try is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..database.values import AttemptRow


def find_log(attempts: Sequence[AttemptRow], try_number: int) -> Path | None:
    """Return the log file of the newest attempt of this try, None where there is none (yet)."""
    from ..sdk.configuration import conf

    folder = Path(conf.get("logging", "base_log_folder"))
    for attempt in sorted(attempts, key=lambda row: row.epoch, reverse=True):
        if attempt.try_number == try_number and attempt.log_path:
            path = folder / attempt.log_path  # an absolute path stays as it is
            return path if path.is_file() else None
    return None
