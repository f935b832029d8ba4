"""DAG files in a zip archive ("packaged DAGs"): which there are, and their text.

The Python files at the top of an archive are DAG files; what lies in its folders are packages
that they import. Only those are imported that mention DAGs, where safe mode is on.
Source: Airflow's documentation, "Packaging DAGs".
"""

from __future__ import annotations

import io
import linecache
import zipfile
from collections.abc import Iterator
from pathlib import Path

from ...sdk.errors import TradewindError

SUFFIX = ".zip"


class ArchiveUnreadable(TradewindError):
    """The file is called .zip and is none, or a member of it cannot be read."""


def is_archive(path: Path) -> bool:
    """Tell an archive by its name."""
    return path.suffix.lower() == SUFFIX


def dag_members(content: bytes, path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and text of the Python files at the top of an archive, in order of their names.

    Raises:
        ArchiveUnreadable: it cannot be read.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in sorted(archive.namelist()):
                if name.endswith(".py") and "/" not in name and name != "__init__.py":
                    yield name, archive.read(name)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError) as error:
        raise ArchiveUnreadable(f"cannot read the archive {path}: {error}") from error


def source_text(content: bytes, path: Path) -> str:
    """Return the text of a DAG file, for people: of an archive, all its DAG files with headings."""
    if not is_archive(path):
        return content.decode(errors="replace").replace("\0", "\ufffd")
    try:
        members = list(dag_members(content, path))
    except ArchiveUnreadable:
        return ""
    return "\n".join(
        f"# --- {path.name}/{name}\n{text.decode(errors='replace')}" for name, text in members
    ).replace("\0", "\ufffd")


def show_lines(filename: str, source: bytes) -> None:
    """Let tracebacks and ``inspect`` find the lines of a file that is on no disk."""
    text = source.decode(errors="replace")
    # Without a time, linecache never looks whether the file is there.
    linecache.cache[filename] = (len(source), None, text.splitlines(keepends=True), filename)
