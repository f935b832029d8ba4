"""Rows on stdout as table, plain, JSON or YAML, in the shapes that scripts parse.

Every scalar is a string in ``json`` and ``yaml``, as pipes written for Airflow expect; null stays
null. ``typed-json`` has real types. Source: ``docs/cli.md``, section 1.
"""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import click

FORMATS = ("table", "json", "yaml", "plain", "typed-json")
WIDTH_WITHOUT_TERMINAL = 200
NO_ROWS = "No data found"

Row = Mapping[str, Any]


def print_rows(rows: Sequence[Row], output: str) -> None:
    """Print *rows* (all with the same keys, in order) in the format named *output*."""
    if output in ("json", "typed-json"):
        import json

        convert = _as_text if output == "json" else _as_typed
        click.echo(json.dumps([_convert(row, convert) for row in rows]))
    elif output == "yaml":
        import yaml

        text = yaml.dump([_convert(row, _as_text) for row in rows], default_flow_style=False)
        click.echo(text)
    elif not rows:
        click.echo(NO_ROWS)
    elif output == "plain":
        click.echo(_plain(rows))
    else:
        click.echo(_table(rows) + "\n")


def _convert(row: Row, convert: Any) -> dict[str, Any]:
    return {key: convert(value) for key, value in row.items()}


def _as_text(value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, Mapping):
        return {str(key): _as_text(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_as_text(item) for item in value]
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _as_typed(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(key): _as_typed(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_as_typed(item) for item in value]
    return _as_text(value)


def _cell(value: Any) -> str:
    if isinstance(value, list | tuple | set | frozenset):
        return ",".join(_cell(item) for item in value)
    if isinstance(value, datetime):
        return value.isoformat()
    return "" if value is None else str(value)


def _cells(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    header = list(rows[0])
    return header, [[_cell(row.get(name)) for name in header] for row in rows]


def _plain(rows: Sequence[Row]) -> str:
    header, body = _cells(rows)
    widths = [max(map(len, column)) for column in zip(header, *body, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in [header, *body]
    )


def _table(rows: Sequence[Row]) -> str:
    header, body = _cells(rows)
    widths = _fit([_width(column) for column in zip(header, *body, strict=True)], _total_width())
    lines = _wrapped(header, widths)
    lines.append("=+=".join("=" * width for width in widths))
    for line in body:
        lines += _wrapped(line, widths)
    return "\n".join(lines)


def _total_width() -> int:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL


def _width(column: Sequence[str]) -> int:
    return max((len(line) for cell in column for line in cell.splitlines()), default=0) or 1


def _fit(widths: list[int], total: int) -> list[int]:
    """Narrow the widest columns until the line fits, but none below eight characters."""
    fitted = list(widths)
    room = total - 3 * (len(widths) - 1)
    while sum(fitted) > room and max(fitted) > 8:
        widest = max(fitted)
        next_widest = max([width for width in fitted if width < widest], default=8)
        count = fitted.count(widest)
        surplus = -(-(sum(fitted) - room) // count)
        narrowed = max(widest - surplus, next_widest, 8)
        fitted = [narrowed if width == widest else width for width in fitted]
    return fitted


def _wrapped(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    columns = [_wrap(cell, width) for cell, width in zip(cells, widths, strict=True)]
    height = max(map(len, columns))
    padded = [column + [""] * (height - len(column)) for column in columns]
    return [
        " | ".join(part.ljust(width) for part, width in zip(parts, widths, strict=True)).rstrip()
        for parts in zip(*padded, strict=True)
    ]


def _wrap(cell: str, width: int) -> list[str]:
    lines: list[str] = []
    for line in cell.splitlines() or [""]:
        lines += textwrap.wrap(line, width, replace_whitespace=False) or [""]
    return lines
