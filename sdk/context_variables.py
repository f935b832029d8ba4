"""A task's identity as text variables: what ``AIRFLOW_CTX_…`` in its environment says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .task_instance import RuntimeTaskInstance


def variables_of(ti: RuntimeTaskInstance) -> dict[str, str]:
    """Return the variables, without prefix, that have a value.

    Both names of the logical date (semantics section 11, row 26).
    """
    task = ti.task
    values = {
        "DAG_OWNER": getattr(task, "owner", None),
        "DAG_ID": ti.dag_id,
        "TASK_ID": ti.task_id,
        "TRY_NUMBER": str(ti.try_number),
        "DAG_RUN_ID": ti.run_id,
        "DAG_EMAIL": _joined(getattr(task, "email", None)),
    }
    if ti.logical_date is not None:
        values["LOGICAL_DATE"] = values["EXECUTION_DATE"] = ti.logical_date.isoformat()
    return {name: value for name, value in values.items() if value}


def context_to_airflow_vars(
    context: Mapping[str, Any], in_env_var_format: bool = False
) -> dict[str, str]:
    """Return the variables of the task that *context* belongs to.

    Args:
        in_env_var_format: names such as ``AIRFLOW_CTX_DAG_ID``, else ``airflow.ctx.dag_id``.
    """
    ti = context.get("ti") or context.get("task_instance")
    if ti is None:
        return {}
    values = variables_of(ti)
    if in_env_var_format:
        return {f"AIRFLOW_CTX_{name}": value for name, value in values.items()}
    return {f"airflow.ctx.{name.lower()}": value for name, value in values.items()}


def _joined(email: object) -> str | None:
    if isinstance(email, str):
        return email
    return ",".join(map(str, email)) if isinstance(email, (list, tuple, set)) else None
