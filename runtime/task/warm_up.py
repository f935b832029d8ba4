"""What a task host does before it forks, so that none of its tasks has to do it again.

What is imported, compiled or looked up after the fork is lost with each task process: an import
of jsonschema alone is 100 CPU ms a task. Done here it is memory that all of them share.
"""

from __future__ import annotations

import contextlib
import copy
import inspect
from collections.abc import Collection
from itertools import islice
from typing import TYPE_CHECKING, Any

from ...sdk.call_arguments import parameters_of
from .rehearsal import rehearse
from .warm_templates import warm_templates

if TYPE_CHECKING:
    from ...sdk.dag import DAG

#: Generated files can hold thousands of tasks: past this many, tasks look for themselves.
TASKS_MAX = 500


def warm_up(dags: Collection[DAG]) -> None:
    """Do ahead what the tasks of *dags* will need. Errors are left to the tasks: never raises."""
    warm_templates(dags)
    _warm_params(dags)
    _warm_functions(dags)
    with contextlib.suppress(Exception):
        # Again after the import: each class that joins an ABC empties what its kin remember.
        rehearse()


def _warm_params(dags: Collection[DAG]) -> None:
    """Import what validates params, and let it meet the schemas of this file."""
    for dag in dags:
        owners: list[Any] = [dag, *islice(dag.tasks, TASKS_MAX)]
        for owner in owners:
            for param in (getattr(owner, "params", None) or {}).values():
                if param.schema:
                    with contextlib.suppress(Exception):
                        copy.copy(param).resolve(suppress_exception=True)


def _warm_functions(dags: Collection[DAG]) -> None:
    """Look up which arguments the functions of tasks take, and import what runs async ones."""
    is_async = False
    for dag in dags:
        for task in islice(dag.tasks, TASKS_MAX):
            is_async = is_async or hasattr(task, "aexecute")
            function = getattr(task, "python_callable", None)
            if function is not None:
                is_async = is_async or inspect.iscoroutinefunction(function)
                with contextlib.suppress(TypeError, ValueError):
                    parameters_of(function)
    if is_async:
        import asyncio  # noqa: F401 - only where it is used: it is 2 MB
