"""Lengths of time as people read them."""

from __future__ import annotations


def duration_text(seconds: float) -> str:
    """Return a short text such as ``0.42 s``, ``18 s``, ``3 min 5 s`` or ``2 h 10 min``."""
    if seconds < 0:
        return "-"
    if seconds < 10:
        return f"{seconds:.2f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"
