"""What ``.airflowignore`` leaves out, in both of its syntaxes.

``regexp`` (Airflow 2's default): each line is a regular expression that is searched in the path
relative to the folder of the ignore file. ``glob`` (Airflow 3's default): the lines mean what
they mean in a ``.gitignore``. Source: Airflow's documentation of ``.airflowignore``, the
``gitignore(5)`` manual.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

IGNORE_FILE = ".airflowignore"
SYNTAXES = ("regexp", "glob")


@dataclass(frozen=True, slots=True)
class IgnoreRule:
    """One line of an ignore file, bound to the folder that the file lies in."""

    base: str  # that folder, relative to the DAGs folder; "" is the DAGs folder
    line: str
    pattern: re.Pattern[str]
    is_negated: bool = False
    only_folders: bool = False


def parse_ignore_file(text: str, base: str, syntax: str) -> list[IgnoreRule]:
    """Return the rules of one ignore file. Lines that are no valid pattern are left out.

    Args:
        base: the folder of the file, relative to the DAGs folder, ``""`` for that folder itself.
        syntax: ``regexp`` or ``glob``.

    Raises:
        ValueError: there is no such syntax.
    """
    if syntax not in SYNTAXES:
        raise ValueError(f"[core] dag_ignore_file_syntax is {syntax!r}; use regexp or glob")
    make = _regexp_rule if syntax == "regexp" else _glob_rule
    rules = (make(line, base) for line in text.splitlines())
    return [rule for rule in rules if rule is not None]


def find_ignoring_rule(
    path: str, is_folder: bool, rules: Iterable[IgnoreRule]
) -> IgnoreRule | None:
    """Return the rule that leaves *path* out, or None where it is wanted.

    The last rule that matches decides, so that a later ``!pattern`` takes a path back in.
    *path* is relative to the DAGs folder, with forward slashes.
    """
    deciding: IgnoreRule | None = None
    for rule in rules:
        if rule.only_folders and not is_folder:
            continue
        inner = path if not rule.base else str(PurePosixPath(path).relative_to(rule.base))
        if rule.pattern.search(inner):
            deciding = None if rule.is_negated else rule
    return deciding


def _regexp_rule(line: str, base: str) -> IgnoreRule | None:
    expression = re.sub(r"\s*#.*", "", line).strip()
    if not expression:
        return None
    try:
        return IgnoreRule(base, line, re.compile(expression))
    except re.error:
        return None


def _glob_rule(line: str, base: str) -> IgnoreRule | None:
    glob = re.sub(r"(?<!\\)\s+$", "", line)
    if not glob or glob.startswith("#"):
        return None
    is_negated = glob.startswith("!")
    glob = glob[1:] if is_negated else glob
    only_folders = glob.endswith("/")
    glob = glob.rstrip("/")
    if not glob:
        return None
    # A slash at the start or in the middle ties the pattern to the folder of the ignore file.
    start = "^" if "/" in glob else "(?:^|/)"
    try:
        pattern = re.compile(start + _translate_glob(glob.lstrip("/")) + "$")
    except re.error:
        return None
    return IgnoreRule(base, line, pattern, is_negated, only_folders)


_GLOB_TOKEN = re.compile(
    r"(?P<any_folders>(?:^|(?<=/))\*\*/)"
    r"|(?P<anything_below>/\*\*$)"
    r"|(?P<star>\*+)"
    r"|(?P<one>\?)"
    r"|(?P<set>\[(?P<not>[!^]?)(?P<members>\]?[^\]/]*)\])"
    r"|(?P<escaped>\\.)"
    r"|(?P<literal>.)",
    re.DOTALL,
)


def _translate_glob(glob: str) -> str:
    parts: list[str] = []
    for token in _GLOB_TOKEN.finditer(glob):
        match token.lastgroup:
            case "any_folders":
                parts.append("(?:.*/)?")
            case "anything_below":
                parts.append("/.+")
            case "star":
                parts.append("[^/]*")
            case "one":
                parts.append("[^/]")
            case "set":
                members = token["members"].replace("\\", "\\\\").replace("]", "\\]")
                parts.append(f"[{'^/' if token['not'] else ''}{members}]")
            case "escaped":
                parts.append(re.escape(token["escaped"][1]))
            case _:
                parts.append(re.escape(token["literal"]))
    return "".join(parts)
