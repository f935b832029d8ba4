"""What the store knows of the files when the parse manager begins, and what is out of date."""

from __future__ import annotations

import os
from collections.abc import Mapping

import msgspec

from .. import __version__
from ..database.values import FileRow
from ..runtime.supervise.task_environment import without_secrets
from ..runtime.task.parse_messages import Inputs
from ..runtime.task.recorded_inputs import fingerprint_value
from .parse_decisions import KnownFile


def known_from_row(row: FileRow, now_s: float) -> KnownFile:
    """Return what an earlier manager left in the store about one file."""
    return KnownFile(
        row.relative_path,
        row.content_hash,
        inputs=msgspec.convert(dict(row.inputs), Inputs, strict=False),
        has_error=row.error is not None,
        may_be_mended_elsewhere=row.error is not None and is_import_error(row.error),
        parsed_s=now_s,
        is_ignored=row.no_dag_reason is not None and ":" in row.content_hash,
    )


def reason_at_start(known: KnownFile) -> str:
    """Say why a file whose text did not change is parsed when the manager begins."""
    if known.is_ignored:
        return ""
    if known.has_error:
        return "broken, tried again at the start"
    if known.inputs.tradewind_version != __version__:
        return "parsed by another version of Tradewind"
    if differs(known.inputs.environment, _environment_now(known)):
        return "an environment variable changed"
    return ""


def is_import_error(error: str) -> bool:
    """Tell whether an error may go away when another file comes or changes."""
    marks = ("ImportError", "ModuleNotFoundError", "is already defined in")
    return any(mark in error for mark in marks)


def differs(read: Mapping[str, str], now: Mapping[str, str]) -> bool:
    """Tell whether a mark that was taken is not the one of now."""
    return any(now[name] != mark for name, mark in read.items())


def _environment_now(known: KnownFile) -> dict[str, str]:
    environment = without_secrets(os.environ)
    return {
        name: fingerprint_value(name, environment.get(name)) for name in known.inputs.environment
    }
