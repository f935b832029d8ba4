"""Makes the façade's modules from the table of names, where no installed package has them.

The finder stands last on ``sys.meta_path``: a real provider package always comes first, and
answers for its own modules.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec
from itertools import takewhile
from types import ModuleType
from typing import Any

from .names import MODULES
from .names_missing import INSTEAD, NOT_YET

ALL_NAMES = "*"
#: What follows a provider's name in its module paths.
NOT_PART_OF_A_PROVIDER = frozenset({"aws", "cloud", "hooks", "operators", "sensors", "transfers"})


class FacadeModule(ModuleType):
    """A module whose names are looked up in the table, and in ours, when they are asked for."""

    def __getattr__(self, name: str) -> Any:
        path = self.__name__
        if name == "__all__":
            return [known for known in dir(self) if not known.startswith("_")]
        target = MODULES.get(path, {}).get(name)
        if target is not None:
            value = _load(target, f"{path}.{name}")
        elif f"{path}.{name}" in MODULES and not name.startswith("_"):
            # ``import airflow`` is enough to say ``airflow.models.DAG``.
            return import_module(f"{path}.{name}")
        else:
            value = _from_whole_module(path, name)
        self.__dict__[name] = value
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        # Importing ``airflow.decorators.task_group`` must not put that module in the place of
        # the function of the same name.
        if isinstance(value, ModuleType) and name in MODULES.get(self.__name__, {}):
            return
        super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        path = self.__name__
        names = {*self.__dict__, *MODULES.get(path, {})} - {ALL_NAMES}
        prefix = f"{path}."
        names |= {
            known[len(prefix) :]
            for known in MODULES
            if known.startswith(prefix) and "." not in known[len(prefix) :]
        }
        whole = MODULES.get(path, {}).get(ALL_NAMES)
        if whole is not None:
            names |= {name for name in dir(import_module(whole)) if not name.startswith("_")}
        return sorted(names)


class FacadeFinder:
    """Finds the modules that the table names, and loads them empty.

    A finder and loader by its methods alone: importing the abstract classes takes a while.
    """

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Return how to make *fullname*, None where the table does not name it."""
        if fullname not in MODULES:
            return None
        return ModuleSpec(
            fullname,
            self,  # type: ignore[arg-type] # a loader by its methods
            origin="Tradewind",
            is_package=True,
        )

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return an empty module."""
        return FacadeModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: names are looked up when they are asked for."""


def install(package: str) -> None:
    """Put the finder last, once, and let the package itself look its names up."""
    if not any(isinstance(finder, FacadeFinder) for finder in sys.meta_path):
        sys.meta_path.append(FacadeFinder())
    sys.modules[package].__class__ = FacadeModule


def _load(target: str, asked: str) -> Any:
    """Return the object at ``module:attribute``, or the module where there is no attribute."""
    module_name, _, attribute = target.partition(":")
    try:
        module = import_module(module_name)
    except ModuleNotFoundError as error:
        if not module_name.startswith("airflow.providers.") or not error.name:
            raise
        parts = takewhile(
            lambda part: part not in NOT_PART_OF_A_PROVIDER, module_name.split(".")[2:]
        )
        provider = "-".join(parts)
        raise ImportError(
            f"{asked} is part of a provider package: install the one that has {module_name} "
            f"(such as apache-airflow-providers-{provider})"
        ) from error
    return getattr(module, attribute) if attribute else module


def _from_whole_module(path: str, name: str) -> Any:
    whole = MODULES.get(path, {}).get(ALL_NAMES)
    if whole is not None and not name.startswith("_"):
        ours = import_module(whole)
        if hasattr(ours, name):
            return getattr(ours, name)
    if path in NOT_YET and not name.startswith("_"):
        instead = INSTEAD.get(path)
        ending = " yet" if instead is None else f": {instead}"
        raise ImportError(f"Tradewind does not have {path}.{name}{ending}", name=name, path=path)
    raise AttributeError(f"module {path!r} has no attribute {name!r}")
