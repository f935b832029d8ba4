"""Objects by their dotted path: what Airflow and its providers import from ``module_loading``."""

from __future__ import annotations

import hashlib
import os
import pkgutil
from collections.abc import Callable, Iterator
from pathlib import PurePath
from types import ModuleType
from typing import Any


def qualname(o: object | Callable[..., Any], use_qualname: bool = False) -> str:
    """Return the dotted path of a class, function, or the class of an object.

    Args:
        use_qualname: name nested classes and methods with their outer ones too.
    """
    if hasattr(o, "__module__") and (callable(o) or isinstance(o, type)):
        name = getattr(o, "__qualname__" if use_qualname else "__name__", None)
        if name is not None:
            return f"{o.__module__}.{name}"
    kind = type(o)
    name = kind.__qualname__ if use_qualname else kind.__name__
    return name if kind.__module__ == "builtins" else f"{kind.__module__}.{name}"


def dag_module_name(path: str | os.PathLike[str]) -> str:
    """Return the name under which the DAG file at *path* is imported."""
    text = os.fspath(path)
    digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    return f"unusual_prefix_{digest}_{PurePath(text).stem}"


def iter_namespace(ns: ModuleType) -> Iterator[str]:
    """Yield the full names of the modules in a package."""
    return (module.name for module in pkgutil.iter_modules(ns.__path__, f"{ns.__name__}."))


def is_valid_dotpath(path: str) -> bool:
    """Tell whether *path* is made of identifiers and dots, as an import path is."""
    return (
        isinstance(path, str)
        and "." in path
        and all(part.isidentifier() for part in path.split("."))
    )
