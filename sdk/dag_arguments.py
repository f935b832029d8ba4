"""How ``DAG`` reads its arguments: aliases of both generations, defaults, refusals.

Rules: semantics sections 1.1, 1.5 and 11.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from . import timezone
from .configuration import conf
from .deprecation import warn_author
from .exceptions import InvalidArgumentError, InvalidValueError
from .not_set import is_arg_set

_TAG_LENGTH_MAX = 100


def one_schedule(schedule: Any, schedule_interval: Any, timetable: Any, dialect: str) -> Any:
    """Return the one that was given; none: daily in Airflow 2, no schedule in 3.

    Raises:
        ValueError: more than one was given.
    """
    given = [value for value in (schedule, schedule_interval) if is_arg_set(value)]
    given += [timetable] if timetable is not None else []
    if len(given) > 1:
        raise InvalidValueError(
            "give at most one of 'schedule', 'schedule_interval' and 'timetable'"
        )
    if is_arg_set(schedule_interval):
        _deprecated("schedule_interval", "schedule")
    if timetable is not None:
        _deprecated("timetable", "schedule")
    if given:
        return given[0]
    return dt.timedelta(days=1) if dialect == "2" else None


def check_start_date(
    *, dialect: str, is_schedule_given: bool, schedule: Any, has_start: bool
) -> None:
    """Airflow 2 refuses a schedule without any start date.

    Raises:
        ValueError: as the name says.
    """
    if dialect == "2" and is_schedule_given and schedule and not has_start:
        raise InvalidValueError("a DAG with a schedule needs a start_date")


def read_dates(
    start_date: Any, end_date: Any, default_args: dict[str, Any], dialect: str
) -> tuple[Any, Any, dt.tzinfo]:
    """Return start and end in UTC, and the DAG's time zone.

    Dates in *default_args* are brought into UTC too; texts there are parsed. Where the DAG names
    no start, Airflow 3 takes that of *default_args*, Airflow 2 only where it is a text. A text
    without a zone is in that of the DAG, a datetime without one in ``[core] default_timezone``.
    """
    default_start, default_end = default_args.get("start_date"), default_args.get("end_date")
    was_text = isinstance(default_start, str)
    start = _parsed(start_date) if is_arg_set(start_date) else None
    default_start = _parsed(default_start)
    zone = _zone_of(start)
    if zone is None and (dialect == "2" or start is None):
        zone = _zone_of(default_start)
    zone = timezone.normalise_timezone(zone or timezone.default_timezone())
    if not is_arg_set(start_date) and (dialect == "3" or was_text):
        start = default_start
    end = _parsed(end_date, zone) if is_arg_set(end_date) else None
    for name, value in (("start_date", default_start), ("end_date", _parsed(default_end, zone))):
        if name in default_args:
            default_args[name] = timezone.convert_to_utc(_aware(value))
    return timezone.convert_to_utc(_aware(start)), timezone.convert_to_utc(_aware(end)), zone


def _parsed(value: Any, zone: dt.tzinfo | None = None) -> Any:
    """Return the instant that a text means; an empty text means none."""
    if not isinstance(value, str):
        return value
    return timezone.parse(value, timezone=zone) if value else None


def _zone_of(value: Any) -> dt.tzinfo | None:
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        return value.tzinfo
    return None


def _aware(value: Any) -> Any:
    if value is None:
        return None
    if not isinstance(value, dt.datetime):
        if isinstance(value, dt.date):
            value = dt.datetime(value.year, value.month, value.day)  # noqa: DTZ001 - made aware
        else:
            raise InvalidArgumentError(f"a date must be a datetime, not {value!r}")
    return timezone.make_aware(value) if value.tzinfo is None else value


def read_default_args(default_args: Any) -> dict[str, Any]:
    """Return a copy; the DAG changes it. Raises TypeError for what is no mapping."""
    if default_args is None:
        return {}
    if not isinstance(default_args, Mapping):
        raise InvalidArgumentError(
            f"default_args must be a dict, not {type(default_args).__name__}"
        )
    return dict(default_args)


def read_tags(tags: Any, dialect: str) -> Any:
    """Return a list (Airflow 2) or a set (3). Raises ValueError for a tag that is too long."""
    found = list(tags or [])
    for tag in found:
        if len(tag) > _TAG_LENGTH_MAX:
            raise InvalidValueError(f"the tag {tag!r} is longer than {_TAG_LENGTH_MAX} characters")
    return found if dialect == "2" else set(found)


def read_catchup(catchup: Any, dialect: str) -> tuple[bool, bool]:
    """Return catchup, and whether it was only implied: by the setting, else by the dialect."""
    if is_arg_set(catchup) and catchup is not None:
        return bool(catchup), False
    setting = str(conf.get("scheduler", "catchup_by_default", fallback="auto")).strip().lower()
    if setting in ("", "auto"):
        return dialect == "2", True
    return conf.getboolean("scheduler", "catchup_by_default"), True


def read_limit(value: Any, key: str, dag_id: str) -> int:
    """Return a limit, else the setting ``[core]`` *key*.

    Raises:
        TypeError: it is no whole number.
    """
    if not is_arg_set(value) or value is None:
        return conf.getint("core", key)
    try:
        return int(value)
    except (TypeError, ValueError) as error:
        raise InvalidArgumentError(
            f"the DAG {dag_id!r}: {key.removesuffix('_per_dag')} must be a whole number, "
            f"not {value!r}"
        ) from error


def read_dagrun_timeout(value: Any, dag_id: str) -> dt.timedelta | None:
    """Return the time that a run may take.

    Raises:
        TypeError: it is no timedelta.
    """
    if value is None or isinstance(value, dt.timedelta):
        return value
    raise InvalidArgumentError(
        f"the DAG {dag_id!r}: dagrun_timeout must be a timedelta, not {value!r}"
    )


def read_searchpath(value: str | Iterable[str] | None) -> list[str] | None:
    """Return the folders in which templates are looked for."""
    if value is None:
        return None
    return [value] if isinstance(value, str) else [str(path) for path in value]


def read_doc_md(doc_md: str | None, folder: str) -> str | None:
    """Return the text, or what stands in the ``.md`` file that it names, where there is one."""
    if doc_md is None or not doc_md.endswith(".md"):
        return doc_md
    for path in (Path(doc_md), Path(folder) / doc_md):
        try:
            return path.read_text(encoding="utf-8")
        except OSError:
            continue
    return doc_md


def check_owner_links(links: Mapping[str, str]) -> None:
    """Refuse what is no link.

    Raises:
        ValueError: the text names the owner.
    """
    for owner, link in links.items():
        parts = urlsplit(str(link))
        is_mail = parts.scheme == "mailto" and bool(parts.path)
        if not is_mail and not (parts.scheme and parts.netloc):
            raise InvalidValueError(f"the link {link!r} of the owner {owner!r} is no URL")


def legacy(arguments: dict[str, Any]) -> dict[str, Any]:
    """Take what only Airflow 2 knew out of further keywords, with a warning each.

    Raises:
        TypeError: an argument that neither generation knows.
    """
    taken: dict[str, Any] = {}
    if "concurrency" in arguments:
        _deprecated("concurrency", "max_active_tasks")
        taken["max_active_tasks"] = arguments.pop("concurrency")
    if "fail_stop" in arguments:
        taken["fail_fast"] = arguments.pop("fail_stop")
    for name in ("full_filepath", "default_view", "orientation"):
        if name in arguments:
            _deprecated(name, None)
            del arguments[name]
    if arguments:
        names = ", ".join(map(repr, arguments))
        raise InvalidArgumentError(f"DAG does not take the arguments {names}")
    return taken


def _deprecated(name: str, instead: str | None) -> None:
    hint = f"use {instead!r}" if instead else "it has no meaning any more"
    warn_author(f"the DAG argument {name!r} is deprecated: {hint}")
