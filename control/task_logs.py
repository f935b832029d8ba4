"""Where the log of one try is, and its last part as text."""

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


def tail_text(path: Path, bytes_max: int) -> tuple[str, bool]:
    """Return the last *bytes_max* bytes as text, from a whole line on, and whether it was cut.

    Bytes that are no UTF-8 are shown as escapes: a log may hold anything.
    """
    with path.open("rb") as stream:
        size = stream.seek(0, 2)
        is_cut = size > bytes_max
        stream.seek(max(0, size - bytes_max))
        data = stream.read(bytes_max)
    if is_cut:
        data = data.partition(b"\n")[2] or data
    return data.decode(errors="backslashreplace"), is_cut
