"""Instants and time zones as DAG authors write them: what ``airflow.utils.timezone`` offers.

Besides ``clock.py`` this is the only module that reads the wall clock, and everything that asks
"what time is it?" on behalf of a timetable asks ``utcnow`` here, so that planning can hold the
clock still with ``frozen``. Functions for DAG authors give pendulum's ``DateTime``; pendulum is
imported on first use, because many processes never need it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, overload
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    import pendulum
    from dateutil.relativedelta import relativedelta

utc = dt.UTC
utc_epoch = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

_frozen_now: ContextVar[dt.datetime | None] = ContextVar("tradewind_frozen_now", default=None)


def utcnow() -> dt.datetime:
    """Return the present instant, aware, in UTC: the frozen one inside ``frozen``."""
    held = _frozen_now.get()
    if held is not None:
        return held
    return dt.datetime.now(tz=dt.UTC)  # noqa: TID251 - for DAG authors, as clock.py for the rest


@contextmanager
def frozen(now: dt.datetime) -> Iterator[dt.datetime]:
    """Let ``utcnow`` answer *now* inside the block, in this thread or task only.

    Raises:
        ValueError: *now* is naive.
    """
    held = plain_utc(now)
    token = _frozen_now.set(held)
    try:
        yield held
    finally:
        _frozen_now.reset(token)


def plain_utc(instant: dt.datetime) -> dt.datetime:
    """Return the same instant as a ``datetime.datetime`` (no subclass) in UTC.

    msgspec and database drivers know the standard class only, and arithmetic on it is exact.

    Raises:
        ValueError: *instant* is naive.
    """
    if instant.utcoffset() is None:
        raise ValueError(f"{instant.isoformat()} has no time zone")
    moved = instant.astimezone(dt.UTC)
    if type(moved) is dt.datetime and moved.fold == 0:
        return moved
    return dt.datetime(
        moved.year,
        moved.month,
        moved.day,
        moved.hour,
        moved.minute,
        moved.second,
        moved.microsecond,
        tzinfo=dt.UTC,
    )


def is_localized(value: dt.datetime) -> bool:
    """Tell whether *value* carries a time zone."""
    return value.utcoffset() is not None


def is_naive(value: dt.datetime) -> bool:
    """Tell whether *value* carries no time zone."""
    return value.utcoffset() is None


@overload
def convert_to_utc(value: None) -> None: ...
@overload
def convert_to_utc(value: dt.datetime) -> pendulum.DateTime: ...
def convert_to_utc(value: dt.datetime | None) -> pendulum.DateTime | None:
    """Return *value* in UTC; a naive one is taken to be in the default time zone."""
    if value is None:
        return None
    import pendulum

    aware = make_aware(value) if is_naive(value) else value
    return pendulum.instance(plain_utc(aware), tz=pendulum.UTC)


@overload
def make_aware(value: None, timezone: dt.tzinfo | None = None) -> None: ...
@overload
def make_aware(value: dt.datetime, timezone: dt.tzinfo | None = None) -> dt.datetime: ...
def make_aware(value: dt.datetime | None, timezone: dt.tzinfo | None = None) -> dt.datetime | None:
    """Give a naive *value* a time zone without moving its hands.

    Args:
        timezone: the zone; the default time zone where it is None. A local time that occurs
            twice is the second one, unless *value* says ``fold=0`` after a ``replace``.

    Raises:
        ValueError: *value* has a time zone already.
    """
    if value is None:
        return None
    if is_localized(value):
        raise ValueError(f"make_aware expects a naive datetime, got {value}")
    zone = default_timezone() if timezone is None else timezone
    localize = getattr(zone, "localize", None)  # pytz's zones are wrong when merely attached
    if localize is not None:
        localized: dt.datetime = localize(value)
        return localized
    return value.replace(tzinfo=zone)


def make_naive(value: dt.datetime, timezone: dt.tzinfo | None = None) -> dt.datetime:
    """Return the local time of *value* in *timezone* (None: the default one), without a zone.

    Raises:
        ValueError: *value* is naive already.
    """
    if is_naive(value):
        raise ValueError("make_naive() cannot be applied to a naive datetime")
    zone = default_timezone() if timezone is None else timezone
    return value.astimezone(zone).replace(tzinfo=None)


def datetime(
    year: int,
    month: int,
    day: int,
    hour: int = 0,
    minute: int = 0,
    second: int = 0,
    microsecond: int = 0,
    tzinfo: dt.tzinfo | None = None,
) -> dt.datetime:
    """Return an aware instant; without *tzinfo* in the default time zone."""
    zone = default_timezone() if tzinfo is None else tzinfo
    return dt.datetime(year, month, day, hour, minute, second, microsecond, tzinfo=zone)


def parse(
    string: str, timezone: dt.tzinfo | None = None, *, strict: bool = False
) -> pendulum.DateTime:
    """Read an instant from text; one without an offset is in *timezone* (None: the default).

    Raises:
        ValueError: the text is no instant (pendulum's ParserError is one).
    """
    import pendulum

    zone = default_timezone() if timezone is None else timezone
    parsed = pendulum.parse(string, tz=zone, strict=strict)
    if not isinstance(parsed, pendulum.DateTime):
        raise ValueError(f"{string!r} is not an instant")
    return parsed


@overload
def coerce_datetime(value: None, tz: dt.tzinfo | None = None) -> None: ...
@overload
def coerce_datetime(value: dt.datetime, tz: dt.tzinfo | None = None) -> pendulum.DateTime: ...
def coerce_datetime(
    value: dt.datetime | None, tz: dt.tzinfo | None = None
) -> pendulum.DateTime | None:
    """Return *value* as pendulum's class, in *tz* where one is given.

    A naive *value* is taken to be in *tz*, else in the default time zone.
    """
    if value is None:
        return None
    import pendulum

    aware = make_aware(value, tz) if is_naive(value) else value
    if not isinstance(aware, pendulum.DateTime):
        aware = pendulum.instance(aware)
    # pendulum takes any tzinfo here and below; its annotations name its own.
    return aware if tz is None else aware.in_timezone(tz)  # type: ignore[arg-type]


def from_timestamp(timestamp: float, tz: str | dt.tzinfo = "UTC") -> pendulum.DateTime:
    """Return the instant *timestamp* seconds after the epoch, shown in *tz*."""
    import pendulum

    zone = parse_timezone(tz) if isinstance(tz, str) else tz
    return pendulum.from_timestamp(timestamp, tz=zone)  # type: ignore[arg-type]


def td_format(td_object: dt.timedelta | float | relativedelta | None) -> str | None:
    """Say a length of time in a few letters, such as ``1h:30M:5s``; None for nothing."""
    if not td_object:
        return None
    if isinstance(td_object, dt.timedelta):
        seconds = int(td_object.total_seconds())
    elif isinstance(td_object, int | float):
        seconds = int(td_object)
    else:
        reference = dt.datetime(2001, 1, 1, tzinfo=dt.UTC)
        seconds = int((reference + td_object - reference).total_seconds())
    parts = []
    for letter, size in (("d", 86400), ("h", 3600), ("M", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{letter}")
    return ":".join(parts) if parts else "<1s"


def parse_timezone(name: str | int) -> dt.tzinfo:
    """Return the time zone called *name*: an IANA name, ``+05:30``, or seconds east of UTC.

    Raises:
        ValueError: there is no such zone.
    """
    if isinstance(name, int):
        return dt.timezone(dt.timedelta(seconds=name))
    if name.upper() in ("UTC", "Z"):
        return dt.UTC
    if name[:1] in "+-" and len(name) > 1:
        return _fixed_offset(name)
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # ZoneInfoNotFoundError is a KeyError
        raise ValueError(f"there is no time zone {name!r}") from error


def zone_of(zone: str | int | dt.tzinfo) -> dt.tzinfo:
    """Return the standard library's zone that equals *zone*, however it was given.

    Raises:
        ValueError: there is no such zone.
    """
    return parse_timezone(timezone_name(zone) if isinstance(zone, dt.tzinfo) else zone)


def timezone_name(zone: dt.tzinfo) -> str:
    """Return the name from which ``parse_timezone`` makes an equal zone.

    Zones of zoneinfo, pendulum and pytz give their IANA name, others a fixed ``+hh:mm``.
    """
    for attribute in ("key", "zone", "name"):
        name = getattr(zone, attribute, None)
        if isinstance(name, str) and name:
            return name
    offset = zone.utcoffset(None)
    if offset is None:
        # dateutil's zone files have no name that can be trusted; what holds in winter 1970 is
        # the best that can be said of one.
        offset = zone.utcoffset(dt.datetime(1970, 1, 1))  # noqa: DTZ001 - asked of the zone
    if not offset:
        return "UTC"
    sign = "-" if offset < dt.timedelta(0) else "+"
    total_s = int(abs(offset).total_seconds())
    seconds = f":{total_s % 60:02d}" if total_s % 60 else ""
    return f"{sign}{total_s // 3600:02d}:{total_s // 60 % 60:02d}{seconds}"


def normalise_timezone(zone: str | int | dt.tzinfo) -> pendulum.Timezone | pendulum.FixedTimezone:
    """Return pendulum's zone for any zone, as ``dag.timezone`` shows it.

    Raises:
        ValueError: there is no such zone.
    """
    import pendulum

    name = timezone_name(zone) if isinstance(zone, dt.tzinfo) else str(zone)
    if isinstance(zone, int) or name[:1] in "+-":
        offset = parse_timezone(zone if isinstance(zone, int) else name).utcoffset(None)
        return pendulum.FixedTimezone(int(offset.total_seconds()) if offset else 0)
    parse_timezone(name)
    return pendulum.timezone("UTC" if name.upper() in ("UTC", "Z") else name)


def default_timezone() -> dt.tzinfo:
    """Return the zone of naive instants: setting ``[core] default_timezone``, UTC unless set.

    Raises:
        ConfigurationError: the setting names no zone.
    """
    from .configuration import conf

    name = conf.get("core", "default_timezone", fallback="utc")
    if name == "system":
        return local_timezone()
    try:
        return parse_timezone(name)
    except ValueError as error:
        from .exceptions import AirflowConfigException  # late: most processes raise none

        raise AirflowConfigException(
            f"Setting [core] default_timezone: {error}. Use a name such as Europe/Paris, or utc"
        ) from error


def local_timezone() -> dt.tzinfo:
    """Return the zone of this machine."""
    from pendulum.tz.local_timezone import get_local_timezone

    return get_local_timezone()


def _fixed_offset(name: str) -> dt.tzinfo:
    digits = name[1:].split(":")
    try:
        numbers = [int(part) for part in digits]
    except ValueError as error:
        raise ValueError(f"there is no time zone {name!r}") from error
    numbers += [0] * (3 - len(numbers))
    offset = dt.timedelta(hours=numbers[0], minutes=numbers[1], seconds=numbers[2])
    return dt.timezone(-offset if name[0] == "-" else offset)
