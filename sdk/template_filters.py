"""Filters for dates in templates: ``{{ data_interval_end | ds }}``. Semantics section 9.4."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date


def ds_filter(value: date | None) -> str | None:
    """Return ``YYYY-MM-DD``."""
    return None if value is None else value.strftime("%Y-%m-%d")


def ds_nodash_filter(value: date | None) -> str | None:
    """Return ``YYYYMMDD``."""
    return None if value is None else value.strftime("%Y%m%d")


def ts_filter(value: date | None) -> str | None:
    """Return ``2024-03-05T10:30:15+00:00``."""
    return None if value is None else value.isoformat()


def ts_nodash_filter(value: date | None) -> str | None:
    """Return ``20240305T103015``."""
    return None if value is None else value.strftime("%Y%m%dT%H%M%S")


def ts_nodash_with_tz_filter(value: date | None) -> str | None:
    """Return ``20240305T103015+0000``."""
    return None if value is None else value.isoformat().replace("-", "").replace(":", "")


FILTERS: dict[str, Callable[[date | None], str | None]] = {
    "ds": ds_filter,
    "ds_nodash": ds_nodash_filter,
    "ts": ts_filter,
    "ts_nodash": ts_nodash_filter,
    "ts_nodash_with_tz": ts_nodash_with_tz_filter,
}
