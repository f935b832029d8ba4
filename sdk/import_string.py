"""Finding an object by its dotted path, as settings name classes."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def import_string(path: str) -> Any:
    """Return the object at ``package.module.name``.

    Raises:
        ImportError: there is no such module, or nothing of that name in it.
    """
    module_name, _, name = path.strip().rpartition(".")
    if not module_name:
        raise ImportError(f"{path!r} is no dotted path to a class or function")
    module = import_module(module_name)
    try:
        return getattr(module, name)
    except AttributeError as error:
        raise ImportError(f"{module_name!r} has no {name!r}") from error
