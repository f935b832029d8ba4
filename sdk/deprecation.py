"""Warnings about what a DAG file writes: they point at the file's own line, however deep we are."""

from __future__ import annotations

import warnings

from .dialect import calling_frame


def warn_author(message: str, category: type[Warning] = DeprecationWarning) -> None:
    """Warn at the line outside of Tradewind that led here."""
    frame = calling_frame()
    if frame is None:
        warnings.warn(message, category, stacklevel=2)
        return
    warnings.warn_explicit(
        message,
        category,
        filename=frame.f_code.co_filename,
        lineno=frame.f_lineno,
        module=frame.f_globals.get("__name__", "__main__"),
        registry=frame.f_globals.setdefault("__warningregistry__", {}),
    )
