"""``macros`` of templates, which is also the module ``airflow.macros``.

Source: ``spec/semantics.md`` section 9.3. Slow modules are imported when they are asked for.
"""

from __future__ import annotations

import json
import time
import uuid
from datetime import datetime, timedelta
from importlib import import_module
from random import random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import dateutil
    import yaml

__all__ = [
    "dateutil",
    "datetime",
    "datetime_diff_for_humans",
    "ds_add",
    "ds_format",
    "ds_format_locale",
    "json",
    "random",
    "time",
    "timedelta",
    "uuid",
    "yaml",
]


def ds_add(ds: str, days: int) -> str:
    """Return the day *days* after ``YYYY-MM-DD`` (before it, where negative)."""
    if not days:
        return str(ds)
    moved = datetime.strptime(str(ds), "%Y-%m-%d") + timedelta(days=days)  # noqa: DTZ007 - a day
    return moved.strftime("%Y-%m-%d")


def ds_format(ds: str, input_format: str, output_format: str) -> str:
    """Return a date read with one ``strptime`` format and written with another."""
    return datetime.strptime(str(ds), input_format).strftime(output_format)  # noqa: DTZ007 - a day


def ds_format_locale(
    ds: str, input_format: str, output_format: str, locale: str | None = None
) -> str:
    """Return a date written in babel's format and a locale, such as ``d. MMMM y`` and ``de_CH``.

    Raises:
        ImportError: babel is not installed.
    """
    try:
        dates: Any = import_module("babel.dates")
    except ImportError as error:
        raise ImportError("ds_format_locale needs the package babel: pip install babel") from error
    day = datetime.strptime(str(ds), input_format)  # noqa: DTZ007 - a day
    arguments = {} if locale is None else {"locale": locale}
    return str(dates.format_datetime(day, format=output_format, **arguments))


def datetime_diff_for_humans(dt: Any, since: datetime | None = None) -> str:
    """Say how far an instant (or the latest of several) lies from *since*, or from now."""
    import pendulum

    instant = max(dt) if isinstance(dt, (list, tuple, set)) else dt
    other = None if since is None else pendulum.instance(since)
    return str(pendulum.instance(instant).diff_for_humans(other))


def __getattr__(name: str) -> Any:
    if name == "dateutil":
        import_module("dateutil.parser")
        import_module("dateutil.relativedelta")
        found: Any = import_module("dateutil")
    elif name == "yaml":
        found = import_module("yaml")
    else:
        raise AttributeError(f"macros has no {name!r}")
    globals()[name] = found
    return found
