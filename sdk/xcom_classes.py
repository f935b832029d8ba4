"""Classes that XComs may hold besides plain JSON: how each is written and read.

Known to us: instants, lengths of time, decimals, time zones, UUIDs, numpy scalars and pandas
data frames. Known to their authors: dataclasses, attrs classes, pydantic models, and classes with
``serialize()`` and ``deserialize(data, version)``. numpy, pandas and pydantic are never imported
here: a value of theirs can exist only where they have been.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import fnmatch
import re
import sys
import uuid
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from importlib import import_module
from typing import Any, NamedTuple

#: Our own classes, under whichever of their import paths they were written.
_OWN_MODULES = ("tradewind.sdk.", "airflow.sdk.")


_PARQUET_HINT = (
    "Data frames are stored as parquet: install pyarrow where tasks run "
    "(pip install 'pandas[parquet]')."
)


class LibraryMissing(ImportError):
    """A class is known, but what writes or reads it is not installed; the text says what."""


class Written(NamedTuple):
    """An object taken apart: the name of its class, the version of its form, and its parts."""

    class_name: str
    version: int
    data: Any


def write(value: Any, path: str) -> Written | None:
    """Take an object apart; None where no rule covers its class."""
    class_name = qualified_name(type(value))
    for base, writer in _WRITERS:
        if isinstance(value, base):
            return writer(value, class_name)
    root = class_name.partition(".")[0]
    if root == "numpy":
        return _write_numpy(value, class_name)
    if class_name == "pandas.core.frame.DataFrame" or class_name == "pandas.DataFrame":
        return Written("pandas.core.frame.DataFrame", 1, _parquet(value).hex())
    return _write_by_its_author(value, class_name)


def _write_by_its_author(value: Any, class_name: str) -> Written | None:
    kind = type(value)
    version = getattr(kind, "__version__", 0)
    version = version if isinstance(version, int) else 0
    if callable(getattr(kind, "serialize", None)) and callable(getattr(kind, "deserialize", None)):
        return Written(class_name, version, value.serialize())
    if dataclasses.is_dataclass(value):
        fields = dataclasses.fields(value)
        return Written(class_name, version, {f.name: getattr(value, f.name) for f in fields})
    if hasattr(kind, "__attrs_attrs__"):
        names = [field.name for field in kind.__attrs_attrs__]
        return Written(class_name, version, {name: getattr(value, name) for name in names})
    if is_pydantic_model(kind):
        return Written(class_name, version, value.model_dump())
    return None


def is_pydantic_model(kind: type) -> bool:
    """Tell whether a class is a pydantic model, without importing pydantic."""
    return hasattr(kind, "model_dump") and hasattr(kind, "__pydantic_validator__")


def read(class_name: str, version: int, data: Any) -> Any:
    """Put an object together again.

    Raises:
        ImportError: the class is not on the allow-list, or cannot be imported.
        TypeError: a newer version of the class wrote it.
    """
    reader = _READERS.get(class_name)
    if reader is not None:
        return reader(data)
    if class_name.startswith("numpy."):
        return _read_numpy(class_name, data)
    kind = _import_allowed(class_name)
    own_version = getattr(kind, "__version__", 0)
    if isinstance(own_version, int) and version > own_version:
        raise TypeError(
            f"{class_name} was stored in version {version}, but version {own_version} is installed"
        )
    if callable(getattr(kind, "deserialize", None)):
        return kind.deserialize(data, version)
    if is_pydantic_model(kind):
        return kind.model_validate(data)
    if dataclasses.is_dataclass(kind) or hasattr(kind, "__attrs_attrs__"):
        return kind(**{_init_name(kind, name): value for name, value in data.items()})
    raise TypeError(f"{class_name} has no deserialize(data, version)")


def _init_name(kind: type, name: str) -> str:
    # attrs leaves the leading underscore of a private field out of __init__.
    return name.lstrip("_") if hasattr(kind, "__attrs_attrs__") else name


def qualified_name(kind: type) -> str:
    """Return a class as ``module.name``."""
    return f"{kind.__module__}.{kind.__qualname__}"


def is_allowed(class_name: str) -> bool:
    """Tell whether objects of a class may be made out of stored text."""
    if class_name.startswith(_OWN_MODULES):
        return True
    globs, patterns = _allow_list()
    return any(fnmatch.fnmatchcase(class_name, glob) for glob in globs) or any(
        pattern.fullmatch(class_name) for pattern in patterns
    )


def _import_allowed(class_name: str) -> Any:
    if not is_allowed(class_name):
        raise ImportError(
            f"{class_name} was stored in an XCom, but is not on the list of classes that may be "
            "read back. Add it to allowed_deserialization_classes in [core] "
            f"(AIRFLOW__CORE__ALLOWED_DESERIALIZATION_CLASSES={class_name})"
        )
    module_name, _, name = class_name.rpartition(".")
    parts = [name]
    while True:
        try:
            found: Any = import_module(module_name)
            break
        except ModuleNotFoundError:
            module_name, _, outer = module_name.rpartition(".")
            parts.insert(0, outer)
            if not module_name:
                raise ImportError(f"{class_name} cannot be imported") from None
    for part in parts:
        try:
            found = getattr(found, part)
        except AttributeError:
            raise ImportError(f"{class_name} cannot be imported: no {part!r}") from None
    return found


def _allow_list() -> tuple[tuple[str, ...], tuple[re.Pattern[str], ...]]:
    from .configuration import conf

    globs = conf.get("core", "allowed_deserialization_classes", fallback="airflow.*") or ""
    patterns = conf.get("core", "allowed_deserialization_classes_regexp", fallback="") or ""
    return _split_allow_list(globs, patterns)


@lru_cache(maxsize=8)
def _split_allow_list(
    globs: str, patterns: str
) -> tuple[tuple[str, ...], tuple[re.Pattern[str], ...]]:
    return tuple(globs.split()), tuple(re.compile(pattern) for pattern in patterns.split())


# --- what we know ourselves --------------------------------------------------------------------


def _write_datetime(value: dt.datetime, class_name: str) -> Written:
    from .timezone import timezone_name

    if value.tzinfo is None:
        instant, zone = value.replace(tzinfo=dt.UTC), None
    else:
        instant, zone = value, timezone_name(value.tzinfo)
    name = class_name if class_name.startswith("pendulum.") else "datetime.datetime"
    return Written(name, 2, {"timestamp": instant.timestamp(), "tz": zone})


def _read_datetime(data: Any) -> dt.datetime:
    from .timezone import parse_timezone

    microseconds = round(data["timestamp"] * 1_000_000)
    instant = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=microseconds)
    if data["tz"] is None:
        return instant.replace(tzinfo=None)
    return instant.astimezone(parse_timezone(data["tz"]))


def _read_pendulum(data: Any) -> Any:
    import pendulum

    instant = _read_datetime(data)
    if instant.tzinfo is None:
        return pendulum.instance(instant, tz=None)
    return pendulum.instance(instant)


def _write_date(value: dt.date, class_name: str) -> Written:
    return Written("datetime.date", 2, value.isoformat())


def _write_timedelta(value: dt.timedelta, class_name: str) -> Written:
    # pendulum's Duration becomes what it is equal to.
    return Written("datetime.timedelta", 2, dt.timedelta.total_seconds(value))


def _write_decimal(value: Decimal, class_name: str) -> Written:
    _, _, exponent = value.as_tuple()
    if isinstance(exponent, int) and exponent >= 0:
        return Written("decimal.Decimal", 1, int(value))
    return Written("decimal.Decimal", 1, float(value))


def _write_zone(value: dt.tzinfo, class_name: str) -> Written | None:
    from .timezone import timezone_name

    if class_name.startswith("pendulum."):
        return Written("pendulum.tz.timezone.Timezone", 1, timezone_name(value))
    if class_name.startswith("zoneinfo.") or isinstance(value, dt.timezone):
        return Written("zoneinfo.ZoneInfo", 1, timezone_name(value))
    return None


def _read_zone(data: Any) -> dt.tzinfo:
    from .timezone import parse_timezone

    return parse_timezone(data)


def _read_pendulum_zone(data: Any) -> Any:
    from .timezone import normalise_timezone

    return normalise_timezone(data)


def _write_numpy(value: Any, class_name: str) -> Written | None:
    numpy = sys.modules["numpy"]
    if isinstance(value, numpy.bool_):
        return Written("numpy.bool_", 1, bool(value))
    if isinstance(value, numpy.integer):
        return Written(class_name, 1, int(value))
    if isinstance(value, numpy.floating):
        return Written(class_name, 1, float(value))
    if isinstance(value, numpy.complexfloating):
        return Written(class_name, 1, float(value.real))
    return None


def _read_numpy(class_name: str, data: Any) -> Any:
    numpy = import_module("numpy")
    kind = getattr(numpy, class_name.removeprefix("numpy."), None)
    if not (isinstance(kind, type) and issubclass(kind, numpy.generic)):
        raise ImportError(f"{class_name} is no number of numpy")
    return kind(data)


def _parquet(frame: Any) -> bytes:
    """Return a data frame as parquet.

    Raises:
        LibraryMissing: what writes parquet is not installed.
    """
    try:
        data: bytes = frame.to_parquet()
    except ImportError as error:
        raise LibraryMissing(_PARQUET_HINT) from error
    return data


def _read_data_frame(data: str) -> Any:
    import io

    try:
        return import_module("pandas").read_parquet(io.BytesIO(bytes.fromhex(data)))
    except ImportError as error:
        raise LibraryMissing(
            f"a stored pandas.DataFrame cannot be read. {_PARQUET_HINT}"
        ) from error


#: In order: a datetime is a date as well.
_WRITERS: tuple[tuple[type, Callable[[Any, str], Written | None]], ...] = (
    (dt.datetime, _write_datetime),
    (dt.date, _write_date),
    (dt.timedelta, _write_timedelta),
    (Decimal, _write_decimal),
    (dt.tzinfo, _write_zone),
    (uuid.UUID, lambda value, name: Written("uuid.UUID", 1, str(value))),
)

_READERS: Mapping[str, Callable[[Any], Any]] = {
    "datetime.datetime": _read_datetime,
    "pendulum.datetime.DateTime": _read_pendulum,
    "datetime.date": dt.date.fromisoformat,
    "datetime.timedelta": lambda data: dt.timedelta(seconds=data),
    "decimal.Decimal": lambda data: Decimal(str(data)),
    "zoneinfo.ZoneInfo": _read_zone,
    "pendulum.tz.timezone.Timezone": _read_pendulum_zone,
    "uuid.UUID": uuid.UUID,
    "pandas.core.frame.DataFrame": _read_data_frame,
}
