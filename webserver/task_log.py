"""Parts of a log file as lines with numbers of bytes and levels, any bytes made safe."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

#: The most that one answer reads of a file.
PART_BYTES_MAX = 256 * 1024
LINES_MAX = 1000
LINE_LENGTH_MAX = 5000
#: Colours and links of terminals: not shown, and never sent to a browser.
ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-_])")
UNPRINTABLE = "\N{REPLACEMENT CHARACTER}"
LEVEL = re.compile(r"(?:\} |\b)(ERROR|CRITICAL|WARNING|WARN|INFO|DEBUG)\b")
#: Only the head of a line says its level: "no ERROR found" is not one.
LEVEL_WITHIN = 120


@dataclass(frozen=True, slots=True)
class LogPart:
    """Lines of a file from byte ``start`` to byte ``end``. Each line is (text, level)."""

    lines: Sequence[tuple[str, str]]
    start: int
    end: int
    size: int


def read_part(path: Path, start: int | None = None, before: int | None = None) -> LogPart:
    """Read whole lines: from byte *start* on, or the last ones *before* a byte, or the last ones.

    A line that is still being written is left for the next time, unless it is very long.
    """
    with path.open("rb") as stream:
        size = stream.seek(0, 2)
        if start is None:
            until = size if before is None else min(max(0, before), size)
            begin = max(0, until - PART_BYTES_MAX)
        else:
            begin = min(max(0, start), size)
            until = min(size, begin + PART_BYTES_MAX)
        stream.seek(begin)
        data = stream.read(until - begin)
    if start is None and begin > 0:
        head, newline, rest = data.partition(b"\n")
        if newline:
            begin, data = begin + len(head) + 1, rest
    if start is not None or until < size:
        whole = data.rfind(b"\n") + 1
        if whole or len(data) < PART_BYTES_MAX:
            data = data[:whole]
    raw = data.split(b"\n")
    if raw and raw[-1] == b"":
        raw.pop()
    end = begin + len(data)
    if start is None and len(raw) > LINES_MAX:
        begin += sum(len(line) + 1 for line in raw[:-LINES_MAX])
        raw = raw[-LINES_MAX:]
    elif len(raw) > LINES_MAX:
        raw = raw[:LINES_MAX]
        end = begin + sum(len(line) + 1 for line in raw)
    return LogPart([clean(line) for line in raw], begin, end, size)


def clean(line: bytes) -> tuple[str, str]:
    """Return a line as harmless text, and its level: error, warning, info, debug or nothing."""
    text = ESCAPES.sub("", line.decode(errors="backslashreplace").rstrip("\r"))
    text = "".join(one if one.isprintable() or one == "\t" else UNPRINTABLE for one in text)
    found = LEVEL.search(text[:LEVEL_WITHIN])
    level = found.group(1).lower() if found else ""
    if len(text) > LINE_LENGTH_MAX:
        text = text[:LINE_LENGTH_MAX] + " … (cut here; download the log for the rest)"
    return text, {"critical": "error", "warn": "warning"}.get(level, level)
