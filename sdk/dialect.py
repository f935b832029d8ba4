"""Which generation of Airflow a DAG was written for, told by imports (architecture, section 4).

Any ``airflow.sdk`` in the module that calls ``DAG(...)`` or ``@dag`` means 3; otherwise any
other ``airflow`` path means 2 (``airflow.providers`` never counts); a module that says neither
takes the DAG file's, and that failing the setting ``[core] dialect``.
"""

from __future__ import annotations

import sys
from types import FrameType

from . import dag_context
from .source_dialect import THREE, TWO, dialect_of_source_file

_PACKAGE = __name__.partition(".")[0]


def calling_frame() -> FrameType | None:
    """Return the nearest frame outside of Tradewind and its façade: the one that calls us."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and _is_ours(frame.f_globals.get("__name__", "")):
        frame = frame.f_back
    return frame


def _is_ours(module_name: str) -> bool:
    if module_name.startswith("airflow.providers"):
        return False
    return module_name.startswith((f"{_PACKAGE}.", "airflow.")) or module_name in (
        _PACKAGE,
        "airflow",
    )


def dialect_of(frame: FrameType | None) -> str:
    """Return "2" or "3" for a DAG that is declared in *frame*."""
    forced = _setting()
    if forced in (TWO, THREE):
        return forced
    told = None
    parsed = dag_context.current_file()
    if frame is not None:
        path = frame.f_globals.get("__file__") or frame.f_code.co_filename
        if parsed is None or path != parsed.path:
            told = dialect_of_source_file(path)
    if told is None and parsed is not None:
        told = parsed.dialect
    return told or THREE


def _setting() -> str:
    from .configuration import conf

    return str(conf.get("core", "dialect", fallback="auto")).strip().lower()
