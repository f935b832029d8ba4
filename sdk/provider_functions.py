"""Small functions that provider packages and DAG files import from ``airflow.utils``.

They have no subject of their own in common; they stand together because they are one surface,
kept for those callers alone. Our own code does without them.
"""

from __future__ import annotations

import functools
import getpass
import hashlib
import os
import re
import secrets
import signal
import string
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from .exceptions import AirflowTaskTimeout
from .not_set import ArgNotSet

_T = TypeVar("_T")
_Function = TypeVar("_Function", bound=Callable[..., Any])


def apply_defaults(function: _Function) -> _Function:
    """Return *function* as it is: default arguments are applied without this decorator."""
    return function


def chunks(items: list[_T], chunk_size: int) -> Generator[list[_T], None, None]:
    """Yield *items* in lists of *chunk_size*, the last one shorter.

    Raises:
        ValueError: the size is not positive.
    """
    if chunk_size <= 0:
        raise ValueError("Chunk size must be a positive integer")
    for start in range(0, len(items), chunk_size):
        yield items[start : start + chunk_size]


def merge_dicts(dict1: dict[Any, Any], dict2: dict[Any, Any]) -> dict[Any, Any]:
    """Return both together; *dict2* wins, and dicts within dicts are merged in the same way."""
    merged = dict(dict1)
    for key, value in dict2.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = merge_dicts(merged[key], value) if both else value
    return merged


def prune_dict(val: Any, mode: str = "strict") -> Any:
    """Return a copy without empty values, at any depth.

    Args:
        mode: "strict" takes None away, "truthy" everything that is false.

    Raises:
        ValueError: there is no such mode.
    """
    if mode not in ("strict", "truthy"):
        raise ValueError("allowable values for `mode` include 'truthy' and 'strict'")

    def is_empty(value: Any) -> bool:
        return value is None if mode == "strict" else not value

    if isinstance(val, dict):
        pruned: dict[Any, Any] = {}
        for key, value in val.items():
            if is_empty(value):
                continue
            kept = prune_dict(value, mode) if isinstance(value, dict | list) else value
            if not isinstance(value, dict | list) or not is_empty(kept):
                pruned[key] = kept
        return pruned
    if isinstance(val, list):
        return [
            prune_dict(value, mode) if isinstance(value, dict | list) else value
            for value in val
            if not is_empty(value)
        ]
    return val


def exactly_one(*args: Any) -> bool:
    """Tell whether just one of the arguments is true.

    Raises:
        ValueError: a collection was passed in place of arguments.
    """
    if len(args) == 1 and isinstance(args[0], list | tuple | set):
        raise ValueError("Not supported for iterable args. Use `*` to unpack your iterable.")
    return sum(map(bool, args)) == 1


def at_most_one(*args: Any) -> bool:
    """Tell whether no more than one of the arguments was given; one "not set" was not."""
    return sum(not isinstance(arg, ArgNotSet) and bool(arg) for arg in args) <= 1


def is_container(obj: Any) -> bool:
    """Tell whether *obj* can be walked through and is no text."""
    return hasattr(obj, "__iter__") and not isinstance(obj, str)


def as_flattened_list(iterable: Iterable[Iterable[_T]]) -> list[_T]:
    """Return the elements of all elements in one list."""
    return [element for group in iterable for element in group]


def partition(pred: Callable[[_T], bool], iterable: Iterable[_T]) -> tuple[Iterable[_T], ...]:
    """Return two iterables: what *pred* does not hold for, and what it does."""
    items = list(iterable)
    return [item for item in items if not pred(item)], [item for item in items if pred(item)]


def convert_camel_to_snake(camel_str: str) -> str:
    """Return ``some_name`` for ``SomeName``."""
    separated = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", camel_str)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", separated).lower()


def to_boolean(astring: str | None) -> bool:
    """Tell whether the text says yes: on, t, true, y, yes, 1."""
    return astring is not None and astring.lower() in ("on", "t", "true", "y", "yes", "1")


def get_random_string(length: int = 8, choices: str = string.ascii_letters + string.digits) -> str:
    """Return that many characters, drawn at random from *choices*."""
    return "".join(secrets.choice(choices) for _ in range(length))


def md5(data: bytes = b"", /) -> Any:
    """Return an MD5 hash object that is not meant for security."""
    return hashlib.md5(data, usedforsecurity=False)


def getuser() -> str:
    """Return the name of the user that this process runs as.

    Raises:
        AirflowConfigException: the system knows no name for it.
    """
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:
        from .exceptions import AirflowConfigException

        raise AirflowConfigException("the system knows no name for the user id") from error


@contextmanager
def patch_environ(new_env_variables: Mapping[str, str]) -> Iterator[None]:
    """Set these environment variables inside the block, then put the old values back."""
    environment: MutableMapping[str, str] = os.environ
    before = {key: environment.get(key) for key in new_env_variables}
    environment.update(new_env_variables)
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                environment.pop(key, None)
            else:
                environment[key] = value


class timeout:  # noqa: N801 - Airflow's name
    """Ends the block with ``AirflowTaskTimeout`` after *seconds*; main thread only."""

    def __init__(self, seconds: float = 1, error_message: str = "Timeout") -> None:
        self.seconds = seconds
        self.error_message = f"{error_message}, PID: {os.getpid()}"

    def handle_timeout(self, signum: int, frame: FrameType | None) -> None:
        """Raise the error. Called when the alarm rings."""
        raise AirflowTaskTimeout(self.error_message)

    def __enter__(self) -> timeout:
        self._before = signal.signal(signal.SIGALRM, self.handle_timeout)
        signal.setitimer(signal.ITIMER_REAL, self.seconds)
        return self

    def __exit__(self, *exception: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._before)


def add_deprecated_classes(module_imports: Mapping[str, Mapping[str, str]], package: str) -> None:
    """Let modules of *package* answer names that have moved to other modules.

    Args:
        module_imports: module name within the package → old name → new dotted path.
    """
    import sys
    from types import ModuleType

    from .import_string import import_string

    def look_up(moved: Mapping[str, str], module: str, name: str) -> Any:
        if name in moved:
            return import_string(moved[name])
        raise AttributeError(f"module {module!r} has no attribute {name!r}")

    for module_name, moved in module_imports.items():
        full_name = f"{package}.{module_name}"
        module = ModuleType(full_name)
        module.__getattr__ = functools.partial(  # type: ignore[method-assign] # PEP 562
            look_up, moved, full_name
        )
        sys.modules[full_name] = module


def correct_maybe_zipped(fileloc: str | None) -> str | None:
    """Return the archive where *fileloc* lies in one, else *fileloc* itself."""
    if not fileloc:
        return fileloc
    archive, ending, rest = fileloc.partition(".zip/")
    return f"{archive}.zip" if ending and rest else fileloc


def build_airflow_url_with_query(query: Mapping[str, Any]) -> str:
    """Return the address of the page of a DAG, with *query*."""
    return f"{_base_url()}/dags/{query.get('dag_id', '')}?{urlencode(dict(query))}"


def build_airflow_dagrun_url(dag_id: str, run_id: str) -> str:
    """Return the address of the page of a run."""
    return f"{_base_url()}/dags/{quote(dag_id)}/runs/{quote(run_id)}"


def _base_url() -> str:
    from .configuration import conf

    return str(conf.get("api", "base_url", fallback="") or "").rstrip("/")
