"""Cluster policies: what an administrator's ``airflow_local_settings.py`` asks of all DAGs.

The module lies in ``{home}/config`` or elsewhere on the import path. It is asked wherever a DAG
file is imported, so that a policy holds for the schedule and for the task process alike.
Source: Airflow's documentation, "Cluster Policies"; ``docs/configuration.md``.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from .exceptions import AirflowClusterPolicySkipDag, AirflowClusterPolicyViolation

if TYPE_CHECKING:
    from types import ModuleType

    from .dag import DAG

MODULE: Final = "airflow_local_settings"


@dataclass(slots=True)
class Enforced:
    """The DAGs of a file that may be, why others may not, and which are left out silently."""

    dags: list[DAG] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    skipped_dag_ids: list[str] = field(default_factory=list)


def enforce_policies(dags: Iterable[DAG]) -> Enforced:
    """Ask the policies about the DAGs of one file; they may change DAGs and tasks in place.

    First ``dag_policy`` is asked about a DAG, then ``task_policy`` about each of its tasks.

    Raises:
        BaseException: whatever importing the module raises: without it nothing is known to be
            allowed.
    """
    settings = _local_settings()
    if settings is None:
        return Enforced(list(dags))
    enforced = Enforced()
    for dag in dags:
        try:
            _ask(settings, dag)
        except AirflowClusterPolicySkipDag:
            enforced.skipped_dag_ids.append(dag.dag_id)
        except AirflowClusterPolicyViolation as error:
            enforced.refusals.append(f"AirflowClusterPolicyViolation: DAG {dag.dag_id}: {error}")
        except Exception as error:  # noqa: BLE001 - user code
            enforced.refusals.append(
                f"AirflowClusterPolicyError: DAG {dag.dag_id}: {_where(settings, error)}"
            )
        else:
            enforced.dags.append(dag)
    return enforced


def more_context_variables(context: Any) -> dict[str, str]:
    """Return what ``get_airflow_context_vars`` adds to the environment of a task.

    Raises:
        Exception: whatever it raises.
    """
    settings = sys.modules.get(MODULE)  # imported with the DAG file, where there is one
    function = getattr(settings, "get_airflow_context_vars", None)
    if function is None:
        return {}
    return {str(name): str(value) for name, value in (function(context) or {}).items()}


def _local_settings() -> ModuleType | None:
    if MODULE not in sys.modules and importlib.util.find_spec(MODULE) is None:
        return None
    return importlib.import_module(MODULE)


def _ask(settings: ModuleType, dag: DAG) -> None:
    dag_policy = getattr(settings, "dag_policy", None)
    if dag_policy is not None:
        dag_policy(dag)
    # Airflow 1.10 calls it policy.
    task_policy = getattr(settings, "task_policy", None) or getattr(settings, "policy", None)
    if task_policy is not None:
        for task in dag.tasks:
            task_policy(task)


def _where(settings: ModuleType, error: Exception) -> str:
    """Return what went wrong, and in which line of the module."""
    said = "".join(traceback.format_exception_only(error)).strip()
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == settings.__file__
    ]
    return f"{said} ({settings.__file__}, line {lines[-1]})" if lines else said
