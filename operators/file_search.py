"""Whether a file is there: asked by ``FileSensor`` and by its trigger."""

from __future__ import annotations

import glob
import os
from pathlib import Path


def has_file(pattern: str, *, is_recursive: bool) -> bool:
    """Tell whether *pattern* leads to a file, or to a folder with a file at any depth."""
    for found in glob.iglob(pattern, recursive=is_recursive):  # noqa: PTH207 - pattern is absolute
        if Path(found).is_file() or any(files for _, _, files in os.walk(found)):
            return True
    return False
