"""What a task finds around it, and what is put back when it is over.

A task process ends with its task, but ``dag.test()`` runs many in one process: environment,
runtime slot and log filters are as they were before.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from ...sdk import task_runtime
from ...sdk.secrets_masker import masker
from ...sdk.task_instance import RuntimeTaskInstance


@contextmanager
def task_surroundings(runtime: task_runtime.TaskRuntime) -> Iterator[None]:
    """Let user code reach *runtime*, and mask secrets in what it logs."""
    before = task_runtime.current
    task_runtime.current = runtime
    environment_before = dict(os.environ)
    handlers = list(logging.getLogger().handlers)
    for handler in handlers:
        handler.addFilter(masker)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(masker)
        _restore_environment(environment_before)
        task_runtime.current = before


def _restore_environment(before: Mapping[str, str]) -> None:
    for name in set(os.environ) - set(before):
        del os.environ[name]
    for name, value in before.items():
        if os.environ.get(name) != value:
            os.environ[name] = value


def export_context(ti: RuntimeTaskInstance) -> None:
    """Put ``AIRFLOW_CTX_…`` into the environment, where programs that the task starts see it.

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
    for name, value in values.items():
        if value:
            os.environ[f"AIRFLOW_CTX_{name}"] = value.replace("\0", "")


def _joined(email: object) -> str | None:
    if isinstance(email, str):
        return email
    return ",".join(map(str, email)) if isinstance(email, (list, tuple, set)) else None
