"""Colours of terminals as six named tokens; every other sequence of theirs is dropped. Pure."""

from __future__ import annotations

import re
from itertools import pairwise

#: Colours, links, cursor moves: none is ever sent to a browser.
ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-_])")
_COLOUR = re.compile(r"\x1b\[([0-9;]*)m")
_NAMES = {1: "red", 2: "green", 3: "yellow", 4: "blue", 5: "magenta", 6: "cyan"}

#: From, to (letters of the plain text), names: "red", "bold", or both with a blank between.
Mark = tuple[int, int, str]


def split_colours(text: str) -> tuple[str, list[Mark]]:
    """Return the plain text, and which parts of it have a colour."""
    if "\x1b" not in text:
        return text, []
    plain, at = "", 0
    colour, is_bold = "", False
    changes: list[tuple[int, str]] = [(0, "")]
    for found in ESCAPES.finditer(text):
        plain += text[at : found.start()]
        at = found.end()
        codes = _COLOUR.fullmatch(found.group())
        if codes is not None:
            colour, is_bold = _apply(codes.group(1), colour, is_bold=is_bold)
            changes.append((len(plain), " ".join(filter(None, (colour, "bold" * is_bold)))))
    plain += text[at:]
    changes.append((len(plain), ""))
    marks = [(start, end, name) for (start, name), (end, _) in pairwise(changes) if name]
    return plain, [mark for mark in marks if mark[0] < mark[1]]


def _apply(codes: str, colour: str, *, is_bold: bool) -> tuple[str, bool]:
    for part in codes.split(";")[:8]:
        code = int(part or 0) if len(part) < 4 else -1
        if code == 0:
            colour, is_bold = "", False
        elif code == 1:
            is_bold = True
        elif code == 22:
            is_bold = False
        elif code == 39:
            colour = ""
        elif 30 <= code <= 37 or 90 <= code <= 97:
            colour = _NAMES.get(code % 10, "")
    return colour, is_bold
