"""How ``BaseOperator`` reads each of its arguments: defaults, conversions, refusals.

Rules: semantics section 2.1. One function an argument, in one table; the rest is taken as given.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from . import dag_context, timezone
from .configuration import conf
from .default_pool import DEFAULT_POOL
from .deprecation import warn_author
from .exceptions import InvalidArgumentError, InvalidValueError
from .import_string import import_string
from .not_set import NOTSET
from .trigger_rules import resolve_trigger_rule
from .weight_rules import PriorityWeightStrategy, WeightRule, clamp

_Value = TypeVar("_Value")

#: What ids may hold besides letters and digits of any script.
_MARKS_OF_KEYS = str.maketrans("", "", "_.-")
_MARKS_OF_GROUP_KEYS = str.maketrans("", "", "_-")

#: Arguments of one type; None and NOTSET pass.
_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "email": (str, Sequence),
    "email_on_retry": bool,
    "email_on_failure": bool,
    "depends_on_past": bool,
    "ignore_first_depends_on_past": bool,
    "wait_for_past_depends_before_skipping": bool,
    "wait_for_downstream": bool,
    "priority_weight": int,
    "queue": str,
    "pool": str,
    "pool_slots": int,
    "run_as_user": str,
    "map_index_template": str,
    "max_active_tis_per_dag": int,
    "max_active_tis_per_dagrun": int,
    "executor": str,
    "do_xcom_push": bool,
    "multiple_outputs": bool,
    "doc": str,
    "doc_md": str,
    "doc_json": str,
    "doc_yaml": str,
    "doc_rst": str,
    "task_display_name": str,
    "logger_name": str,
    "allow_nested_operators": bool,
}

#: Arguments of Airflow 1 and 2 that no longer mean anything.
IGNORED_ARGUMENTS = frozenset({"provide_context", "xcom_push", "sla_miss_callback"})


def _default(read: Callable[..., _Value], section: str, key: str, fallback: Any) -> _Value:
    """Return a setting that tasks take where they say nothing, read once for each DAG file.

    Eight of them for each task were a tenth of what reading a file costs.
    """
    parsed = dag_context.current_file()
    if parsed is None:
        return read(section, key, fallback=fallback)
    if (section, key) not in parsed.settings:
        parsed.settings[section, key] = read(section, key, fallback=fallback)
    found: _Value = parsed.settings[section, key]
    return found


def _is_made_of(key: str, marks: dict[int, int | None]) -> bool:
    rest = key.translate(marks)
    return bool(key) and (not rest or rest.isalnum())


def validate_key(key: str, length_max: int = 250) -> None:
    """Refuse an id of a DAG, task or pool that is not made of word characters, ``.`` and ``-``.

    Raises:
        TypeError: *key* is no text.
        AirflowException: it is too long or holds other characters (also a ValueError).
    """
    if not isinstance(key, str):
        raise InvalidArgumentError(f"an id must be a text, not {type(key).__name__} ({key!r})")
    if len(key) > length_max:
        raise InvalidValueError(f"the id {key!r} is longer than {length_max} characters")
    if not _is_made_of(key, _MARKS_OF_KEYS):
        raise InvalidValueError(
            f"the id {key!r} may only hold letters, digits, dashes, dots and underscores"
        )


def validate_group_key(key: str, length_max: int = 200) -> None:
    """Refuse the id of a group that is not made of word characters and ``-``. Raises as above."""
    if not isinstance(key, str):
        raise InvalidArgumentError(f"an id must be a text, not {type(key).__name__} ({key!r})")
    if len(key) > length_max:
        raise InvalidValueError(f"the group id {key!r} is longer than {length_max} characters")
    if not _is_made_of(key, _MARKS_OF_GROUP_KEYS):
        raise InvalidValueError(
            f"the group id {key!r} may only hold letters, digits, dashes and underscores"
        )


def check_types(arguments: Mapping[str, Any], where: str) -> None:
    """Raise TypeError for an argument of a wrong type, naming it and the task."""
    for name, expected in _TYPES.items():
        value = arguments.get(name)
        if value is not None and value is not NOTSET and not isinstance(value, expected):
            wanted = expected if isinstance(expected, type) else expected[0]
            raise InvalidArgumentError(
                f"{name!r} of {where} must be {wanted.__name__}, "
                f"not {type(value).__name__} ({value!r})"
            )


def read_retries(value: Any, where: str) -> int:
    """None: 0; a text of digits: that number; not given: the setting."""
    if value is NOTSET:
        return _default(conf.getint, "core", "default_task_retries", 0)
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int):
        try:
            return int(value)
        except (TypeError, ValueError):
            raise InvalidArgumentError(
                f"'retries' of {where} must be a whole number, not {value!r}"
            ) from None
    return value


def read_retry_delay(value: Any, where: str) -> dt.timedelta:
    """Seconds or a timedelta; not given: the setting."""
    if value is NOTSET or value is None:
        return dt.timedelta(
            seconds=_default(conf.getfloat, "core", "default_task_retry_delay", 300)
        )
    return _length(value, "retry_delay", where)


def read_max_retry_delay(value: Any, where: str) -> dt.timedelta | None:
    """Seconds or a timedelta."""
    return None if value is None else _length(value, "max_retry_delay", where)


def _length(value: Any, name: str, where: str) -> dt.timedelta:
    if isinstance(value, dt.timedelta):
        return value
    try:
        return dt.timedelta(seconds=float(value))
    except (TypeError, ValueError):
        raise InvalidArgumentError(
            f"{name!r} of {where} must be a timedelta or seconds, not {value!r}"
        ) from None


def read_retry_exponential_backoff(value: Any, where: str) -> float:
    """Airflow 2's True means that each delay is twice the one before (semantics section 11, 7)."""
    if value is True:
        return 2.0
    if value is None or value is False:
        return 0
    if not isinstance(value, (int, float)):
        raise InvalidArgumentError(
            f"'retry_exponential_backoff' of {where} must be a number, not {value!r}"
        )
    if value < 0:
        raise InvalidValueError(f"'retry_exponential_backoff' of {where} must not be negative")
    return value


def read_execution_timeout(value: Any, where: str) -> dt.timedelta | None:
    """A timedelta; not given: the setting, in seconds."""
    if value is NOTSET:
        default = _default(conf.get, "core", "default_task_execution_timeout", "")
        return dt.timedelta(seconds=int(default)) if default else None
    if value is not None and not isinstance(value, dt.timedelta):
        raise InvalidValueError(
            f"'execution_timeout' of {where} must be a timedelta, not {value!r}"
        )
    return value


def read_pool_slots(value: Any, where: str) -> int:
    """At least one."""
    if value < 1:
        raise InvalidValueError(f"'pool_slots' of {where} must be at least 1")
    return int(value)


def read_weight_rule(value: Any, where: str) -> Any:
    """A name, or a strategy (class or object) of the user's own."""
    if value is NOTSET or value is None:
        value = _default(conf.get, "core", "default_task_weight_rule", "downstream")
    if isinstance(value, str) and "." in value:
        value = _find_strategy(value, where)
    if isinstance(value, PriorityWeightStrategy):
        return value
    if isinstance(value, type) and issubclass(value, PriorityWeightStrategy):
        return value()
    if not isinstance(value, str) or not WeightRule.is_valid(value):
        raise InvalidValueError(
            f"'weight_rule' of {where} must be one of {sorted(WeightRule.all_weight_rules())}, "
            f"not {value!r}"
        )
    return WeightRule(value)


def _find_strategy(path: str, where: str) -> Any:
    try:
        return import_string(path)
    except ImportError as error:
        raise InvalidValueError(
            f"'weight_rule' of {where} names a class that cannot be imported: {error}"
        ) from error


def read_callbacks(value: Any, where: str) -> list[Callable[..., Any]]:
    """One callback, several, or none: always a list (semantics section 11, row 23)."""
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple, set)) else [value]


def read_instant(value: Any, where: str) -> Any:
    """An instant or its text; naive ones are in the default time zone. Returned in UTC."""
    if value is None or value is NOTSET:
        return None
    if isinstance(value, str):
        value = timezone.parse(value)
    if not isinstance(value, dt.datetime):
        raise InvalidArgumentError(f"a date of {where} must be a datetime, not {value!r}")
    return timezone.convert_to_utc(value)


def _setting(section: str, key: str, fallback: str) -> Callable[[Any, str], Any]:
    def read(value: Any, where: str) -> Any:
        if value is NOTSET or value is None:
            return _default(conf.get, section, key, fallback)
        return value

    return read


def _mail_setting(key: str) -> Callable[[Any, str], bool]:
    """Return a reader of a truth value whose default is a setting of ``[email]``."""

    def read(value: Any, where: str) -> bool:
        if value is NOTSET or value is None:
            return _default(conf.getboolean, "email", key, True)
        return bool(value)

    return read


def _list(value: Any, where: str) -> list[Any]:
    if value is None:
        return []
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=repr)  # the same order at every parse, else each is a new version
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _listed(value: Any, where: str) -> Any:
    return list(value) if isinstance(value, tuple) else value


READERS: Mapping[str, Callable[[Any, str], Any]] = {
    "owner": _setting("operators", "default_owner", "airflow"),
    "email": _listed,
    "email_on_failure": _mail_setting("default_email_on_failure"),
    "email_on_retry": _mail_setting("default_email_on_retry"),
    "retries": read_retries,
    "retry_delay": read_retry_delay,
    "retry_exponential_backoff": read_retry_exponential_backoff,
    "max_retry_delay": read_max_retry_delay,
    "start_date": read_instant,
    "end_date": read_instant,
    "priority_weight": lambda value, where: clamp(value),
    "weight_rule": read_weight_rule,
    "queue": _setting("operators", "default_queue", "default"),
    "pool": lambda value, where: value or DEFAULT_POOL,
    "pool_slots": read_pool_slots,
    "execution_timeout": read_execution_timeout,
    "on_execute_callback": read_callbacks,
    "on_failure_callback": read_callbacks,
    "on_success_callback": read_callbacks,
    "on_retry_callback": read_callbacks,
    "on_skipped_callback": read_callbacks,
    "executor_config": lambda value, where: value or {},
    "inlets": _list,
    "outlets": _list,
}


def read_trigger_rule(value: Any, where: str, dialect: str | None) -> Any:
    """Return the rule; the two legacy names hold in DAGs of Airflow 2 only."""
    try:
        return resolve_trigger_rule(str(value), is_legacy_allowed=dialect != "3")
    except ValueError as error:
        raise InvalidValueError(f"'trigger_rule' of {where}: {error}") from error


def refuse_unknown(arguments: Mapping[str, Any], where: str) -> None:
    """Raise for arguments that no class of the operator takes; drop those that once meant much.

    Raises:
        AirflowException: also a TypeError; the text names the arguments.
    """
    unknown = {name: value for name, value in arguments.items() if name not in IGNORED_ARGUMENTS}
    if unknown:
        raise InvalidArgumentError(f"{where} does not take the arguments {unknown}")
    for name in arguments:
        warn_author(f"{name!r} of {where} has no meaning any more")
