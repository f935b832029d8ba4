"""Finding DAG files in the DAGs folder.

A file is parsed when its name ends in ``.py``, no ``.airflowignore`` leaves it out, and, in safe
mode, its text mentions DAGs and us. Files that are not parsed are found too, with the reason:
"why is my DAG not there?" must have an answer. A zip archive is one file, with several in it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from ..runtime.task.dag_archive import SUFFIX, ArchiveUnreadable, dag_members, is_archive
from ..runtime.task.dag_file import hash_content, mentions_dag
from .ignore_rules import IGNORE_FILE, IgnoreRule, find_ignoring_rule, parse_ignore_file

#: Never DAG files, and often huge.
SKIPPED_FOLDERS = frozenset({"__pycache__", "node_modules"})

NO_MENTION = (
    "left out by safe mode: the text does not mention 'dag' together with 'airflow' or"
    " 'tradewind' (setting [core] dag_discovery_safe_mode)"
)


Report = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class FoundFile:
    """One Python file or archive under the DAGs folder."""

    path: Path
    relative_path: str  # with forward slashes
    stamp: tuple[int, int, int]  # mtime in ns, size, inode: equal stamps, equal content
    ignored_reason: str = ""  # why it is not parsed; empty: it is


@dataclass(frozen=True, slots=True)
class FileContent:
    """What discovery needs to know of a file's text."""

    content_hash: str
    mentions_dag: bool


def read_content(path: Path) -> FileContent:
    """Read one file and judge it. Raises OSError where it cannot be read."""
    content = path.read_bytes()
    return FileContent(hash_content(content), _mentions_dag(content, path))


def _mentions_dag(content: bytes, path: Path) -> bool:
    if not is_archive(path):
        return mentions_dag(content)
    try:
        return any(mentions_dag(text) for _, text in dag_members(content, path))
    except ArchiveUnreadable:
        return True  # importing it gives the error that people should see


def find_files(
    folder: Path,
    *,
    ignore_syntax: str,
    report: Report = lambda _path, _reason: None,
    prefix: str = "",
    before: Mapping[str, FoundFile] = MappingProxyType({}),
) -> Iterator[FoundFile]:
    """Yield Python files and archives under *folder*, in order of names; links are followed.

    Args:
        report: told about each path (relative; "" is *folder* itself) that could not be looked
            into, with the reason: no permission, or a link back to a folder above it.
        prefix: comes before each relative path.
        before: what was found the last time, by relative path: what did not change since is the
            same object again.
    """
    for entry, relative, rule in _walk(folder, "", [], ignore_syntax, report, frozenset()):
        try:
            status = entry.stat()
        except OSError as error:
            report(relative, f"cannot look at {entry.path}: {error.strerror or error}")
            continue
        if not stat.S_ISREG(status.st_mode):  # to open a pipe waits for who writes into it
            report(relative, f"{entry.path} is not a regular file and is left out")
            continue
        stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        known = before.get(prefix + relative)
        reason = "" if rule is None else _reason(rule)
        if known is not None and known.stamp == stamp and known.ignored_reason == reason:
            yield known
        else:
            yield FoundFile(Path(entry), prefix + relative, stamp, reason)


def _walk(
    folder: Path,
    base: str,
    rules: list[IgnoreRule],
    syntax: str,
    report: Report,
    above: frozenset[tuple[int, int]],
) -> Iterator[tuple[os.DirEntry[str], str, IgnoreRule | None]]:
    try:
        status = folder.stat()
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        report(base, f"cannot look into {folder}: {error.strerror or error}")
        return
    identity = (status.st_dev, status.st_ino)
    if identity in above:
        report(base, f"{folder} leads back to a folder above it and is left out")
        return
    above |= {identity}
    rules = rules + _load_rules(folder, base, syntax, report)
    for entry in entries:
        relative = f"{base}/{entry.name}" if base else entry.name
        if not _is_text(entry.name):
            shown = entry.path.encode("utf-8", "backslashreplace").decode()
            if entry.name.endswith((".py", SUFFIX)):
                report(shown, f"the name of {shown} is not UTF-8; it is left out: rename it")
            continue
        try:
            if entry.is_dir():
                if entry.name in SKIPPED_FOLDERS or entry.name.startswith("."):
                    continue
                if find_ignoring_rule(relative, True, rules) is None:
                    yield from _walk(Path(entry), relative, rules, syntax, report, above)
            elif entry.name.endswith((".py", SUFFIX)):
                yield entry, relative, find_ignoring_rule(relative, False, rules) if rules else None
        except OSError as error:
            report(relative, f"cannot look at {entry.path}: {error.strerror or error}")


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:  # bytes that are no UTF-8: nothing could store or show it
        return False
    return True


def _load_rules(folder: Path, base: str, syntax: str, report: Report) -> list[IgnoreRule]:
    path = folder / IGNORE_FILE
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    except OSError as error:
        report(base, f"cannot read {path}: {error.strerror or error}")
        return []
    return parse_ignore_file(text, base, syntax)


def _reason(rule: IgnoreRule) -> str:
    where = f"{rule.base}/{IGNORE_FILE}".lstrip("/")
    return f"left out by {where}: {rule.line.strip()}"


def have_files_changed(before: Mapping[str, FoundFile], now: Mapping[str, FoundFile]) -> bool:
    """Tell whether two scans, by relative path, found different files."""
    return before.keys() != now.keys() or any(
        before[path].stamp != file.stamp for path, file in now.items()
    )


def is_below(relative_path: str, folders: Iterable[str]) -> bool:
    """Tell whether a path lies in one of *folders*, or is one of them; "" is the root."""
    return any(
        folder == ""
        or relative_path == folder
        or relative_path.startswith(f"{folder.rstrip('/')}/")
        for folder in folders
    )
