"""Lengths of time as people read them."""

from __future__ import annotations

from datetime import timedelta


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


def ago_text(distance: timedelta) -> str:
    """Return how far off an instant is, with one unit: ``in 22 h``, ``18 min ago``, ``now``.

    Args:
        distance: from now to the instant; negative: it is past.
    """
    seconds = round(abs(distance.total_seconds()))
    for size_s, unit in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        if seconds >= size_s:
            text = f"{seconds // size_s} {unit}"
            return f"{text} ago" if distance < timedelta() else f"in {text}"
    return "now"
