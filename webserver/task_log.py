"""Parts of a log file as lines with numbers of bytes and levels, any bytes made safe."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from ..control.task_logs import LogSource
from .log_colours import Mark, split_colours

#: The most that one answer reads of a file.
PART_BYTES_MAX = 256 * 1024
LINES_MAX = 1000
LINE_LENGTH_MAX = 5000
SEARCH_BYTES_MAX = 256 * 1024 * 1024
SEARCH_BLOCK_BYTES = 1024 * 1024
UNPRINTABLE = "\N{REPLACEMENT CHARACTER}"
LEVEL = re.compile(r"(?:\} |\b)(ERROR|CRITICAL|WARNING|WARN|INFO|DEBUG)\b")
#: Only the head of a line says its level: "no ERROR found" is not one.
LEVEL_WITHIN = 120
#: The colour of what is read last.
DIM = "dim"
#: Instant and place, which a reader looks at last.
PREFIX = re.compile(r"\[\d{4}-\d\d-\d\d[T ][\d:.,]+(?:[+-]\d\d:?\d\d|Z)?\] (?:\{[^{}]{1,80}\} )?")


#: Text, level, colours.
Line = tuple[str, str, Sequence[Mark]]


@dataclass(frozen=True, slots=True)
class LogPart:
    """Lines of a file from byte ``start`` to byte ``end``."""

    lines: Sequence[Line]
    start: int
    end: int
    size: int


def read_part(path: LogSource, start: int | None = None, before: int | None = None) -> LogPart:
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
    return LogPart(with_levels_carried(map(clean, raw)), begin, end, size)


def with_levels_carried(lines: Iterable[Line]) -> list[Line]:
    """Return lines with the level of the entry that they belong to: a traceback is an error.

    An entry begins with an instant; what follows without one is a part of it.
    """
    found: list[Line] = []
    carried = ""
    for text, level, marks in lines:
        if (marks and marks[0][2] == DIM) or PREFIX.match(text):
            carried = level
        found.append((text, level or carried, marks))
    return found


def clean(line: bytes) -> tuple[str, str, list[Mark]]:
    """Return a line as harmless text, its level, and its colours.

    The level is error, warning, info, debug or nothing.
    """
    text, marks = split_colours(line.decode(errors="backslashreplace").rstrip("\r"))
    text = "".join(one if one.isprintable() or one == "\t" else UNPRINTABLE for one in text)
    found = LEVEL.search(text[:LEVEL_WITHIN])
    level = found.group(1).lower() if found else ""
    if len(text) > LINE_LENGTH_MAX:
        text = text[:LINE_LENGTH_MAX] + " … (cut here; download the log for the rest)"
    prefix = PREFIX.match(text)
    if prefix and (not marks or marks[0][0] >= prefix.end()):
        marks = [(0, prefix.end(), DIM), *marks]
    return text, {"critical": "error", "warn": "warning"}.get(level, level), marks


def find_words(path: LogSource, words: str, start: int) -> tuple[int | None, int]:
    """Return where the next line with *words* begins, letter case ignored, and where it looked to.

    Looks at most through ``SEARCH_BYTES_MAX``; a reader who wants more asks again from there.
    """
    wanted = words.encode().lower()
    with path.open("rb") as stream:
        size = stream.seek(0, 2)
        at = min(max(0, start), size)
        if at:  # only lines that begin here or later: the one before was found already
            stream.seek(at - 1)
            stream.readline(SEARCH_BLOCK_BYTES)
            at = stream.tell()
        until = min(size, at + SEARCH_BYTES_MAX)
        stream.seek(at)
        tail, line_start = b"", at
        while at < until:
            block = stream.read(min(SEARCH_BLOCK_BYTES, until - at))
            data = tail + block
            place = data.lower().find(wanted)
            if place >= 0:
                return line_start + data.rfind(b"\n", 0, place) + 1, until
            at += len(block)
            # Keep the line that is not whole yet, bounded where a line never ends.
            last = max(data.rfind(b"\n") + 1, len(data) - LINE_LENGTH_MAX)
            tail, line_start = data[last:], line_start + last
    return None, until


def lines_markup(part: LogPart) -> Markup:
    """Return the lines of a part as HTML, numbered; at the file's start each has its address.

    A template takes three times as long for a thousand.
    """
    # Every text that comes from outside is escaped where it is put in.
    return Markup(  # noqa: S704
        "".join(_line(n, line, has_address=not part.start) for n, line in enumerate(part.lines, 1))
    )


def _line(number: int, line: Line, *, has_address: bool) -> str:
    text, level, marks = line
    kind = f' class="{level}"' if level else ""
    address = f' id="L{number}"' if has_address else ""
    shown = _coloured(text, marks) if marks else escape(text or " ")
    return f'<div{kind} data-n="{number}"{address}>{shown}</div>'


def _coloured(text: str, marks: Sequence[Mark]) -> str:
    """Return a line as HTML: text escaped, each colour in a span."""
    parts, at = [], 0
    for start, end, names in marks:
        classes = " ".join(f"ansi-{name}" for name in names.split())
        parts.append(str(escape(text[at:start])))
        parts.append(f'<span class="{classes}">{escape(text[start:end])}</span>')
        at = end
    parts.append(str(escape(text[at:])))
    return "".join(parts)
