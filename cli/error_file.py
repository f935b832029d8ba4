"""Where the details of an unexpected error go: a file, instead of the user's terminal."""

from __future__ import annotations

import contextlib
import os
import tempfile
import traceback
from pathlib import Path


def write_details(error: Exception, arguments: list[str]) -> Path | None:
    """Append the traceback to ``{logs}/cli/errors.log`` and return its path.

    Falls back to a file in the folder for temporary files; None where nothing can be written.
    """
    from ..sdk.clock import WallClock
    from .audit import masked

    when = WallClock().now().isoformat(timespec="seconds")
    lines = "".join(traceback.format_exception(error))
    text = f"{when} {' '.join(masked(arguments))}\n{lines}\n"
    for folder in _folders():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / "errors.log"
            descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "a", encoding="utf-8") as file:
                file.write(text)
        except OSError:
            continue
        return path
    return None


def _folders() -> list[Path]:
    from ..sdk.configuration import conf
    from ..sdk.errors import ConfigurationError

    folders = []
    with contextlib.suppress(ConfigurationError, OSError):  # the settings may be what is broken
        folders.append(Path(conf.get("logging", "base_log_folder")) / "cli")
    return [*folders, Path(tempfile.gettempdir()) / f"tradewind-{os.getuid()}"]
