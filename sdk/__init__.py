"""The words and the rules, and what a DAG author writes with. Pure Python: no I/O above this floor.

Names are loaded on first use (PEP 562): importing the package costs next to nothing, and a file
pays only for what it names.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

#: Public name → module of this package that holds it.
EXPORTS: dict[str, str] = {
    "Asset": "asset",
    "AssetAlias": "asset",
    "AssetAll": "asset",
    "AssetAny": "asset",
    "AssetWatcher": "asset",
    "BaseAsyncOperator": "base_operator",
    "BaseNotifier": "notifier",
    "BaseOperator": "base_operator",
    "BaseOperatorLink": "operator_link",
    "DAG": "dag",
    "DagParam": "param",
    "DagRunState": "states",
    "Dataset": "asset",
    "EdgeModifier": "edges",
    "Label": "edges",
    "MappedOperator": "mapped_operator",
    "Metadata": "asset",
    "Model": "asset",
    "Param": "param",
    "ParamsDict": "param",
    "TaskGroup": "task_group",
    "TaskInstanceState": "states",
    "TriggerRule": "trigger_rules",
    "WeightRule": "weight_rules",
    "XComArg": "xcom_arg",
    "asset": "asset_decorator",
    "chain": "edges",
    "chain_linear": "edges",
    "cross_downstream": "edges",
    "dag": "dag_decorator",
    "literal": "resolvable",
    "setup": "task_decorators:setup_task",
    "task": "task_decorators",
    "task_group": "task_group_decorator",
    "teardown": "task_decorators:teardown_task",
}

__all__ = list(EXPORTS)


def __getattr__(name: str) -> Any:
    path = EXPORTS.get(name)
    if path is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module_name, _, attribute = path.partition(":")
    return getattr(importlib.import_module(f".{module_name}", __name__), attribute or name)


def __dir__() -> list[str]:
    return sorted([*globals(), *EXPORTS])


class _Package(ModuleType):
    """This package, with three decorators that are named like the modules beside them.

    Loading ``sdk/dag.py`` would bind the name ``dag`` to the module; whoever writes
    ``from tradewind.sdk import dag`` means the decorator.
    """

    @property
    def asset(self) -> Any:
        """``@asset``."""
        return __getattr__("asset")

    @asset.setter
    def asset(self, module: ModuleType) -> None:
        """Ignore the import system's wish to bind the module."""

    @property
    def dag(self) -> Any:
        """``@dag``."""
        return __getattr__("dag")

    @dag.setter
    def dag(self, module: ModuleType) -> None:
        """Ignore the import system's wish to bind the module."""

    @property
    def task_group(self) -> Any:
        """``@task_group``."""
        return __getattr__("task_group")

    @task_group.setter
    def task_group(self, module: ModuleType) -> None:
        """Ignore the import system's wish to bind the module."""


sys.modules[__name__].__class__ = _Package
