"""Regular expressions of DAG files on values that people type: never for longer than a second.

Python's ``re`` can take years for ``(a+)+$``, and holds the interpreter meanwhile. What is surely
quick is done here; the rest is asked of a bare child, which is killed past its time.
"""

from __future__ import annotations

import re
import subprocess
import sys

from .errors import TradewindError

TIMEOUT_S = 1.0
#: With so few repetitions over so short a text, even the worst order of attempts is quick.
QUICK_LENGTH_MAX = 200
QUICK_REPEATS_MAX = 3
_REPEATED_GROUP = re.compile(r"\)\s*[*+{]")
_REPEAT = re.compile(r"[*+{]")
_CHILD = (
    "import re, sys\n"
    "pattern, _, text = sys.stdin.buffer.read().decode('utf-8', 'surrogatepass').partition('\\0')\n"
    "sys.exit(0 if re.search(pattern, text) else 1)\n"
)


class PatternTooSlow(TradewindError):
    """Whether a value fits a pattern could not be told in time."""


def is_match(pattern: str, text: str) -> bool:
    """Tell whether *pattern* is found in *text*.

    Raises:
        PatternTooSlow: not within ``TIMEOUT_S``.
        re.error: the pattern is none.
    """
    compiled = re.compile(pattern)
    is_quick = (
        len(text) <= QUICK_LENGTH_MAX
        and _REPEATED_GROUP.search(pattern) is None
        and len(_REPEAT.findall(pattern)) <= QUICK_REPEATS_MAX
    )
    if is_quick or not _REPEAT.search(pattern):
        return compiled.search(text) is not None
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _CHILD],
            input=f"{pattern}\0{text}".encode("utf-8", "surrogatepass"),
            timeout=TIMEOUT_S,
            check=False,
            env={},
        )
    except subprocess.TimeoutExpired:
        raise PatternTooSlow(
            f"whether the value fits the pattern {pattern!r} cannot be told in {TIMEOUT_S:.0f} s"
        ) from None
    return done.returncode == 0
